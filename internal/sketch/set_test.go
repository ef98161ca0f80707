package sketch

import (
	"cmp"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"moderator/internal/testenv"
)

func numbered(i int) (id uuid.UUID) {
	binary.BigEndian.PutUint64(id[:], uint64(i))
	return id
}

// vectors are unit vectors about a common middle, as those of many models are.
func vectors(r *rand.Rand, n, dims int, middle float64) [][]float32 {
	common := testenv.RandomUnit(r, dims)
	all := make([][]float32, n)
	for i := range all {
		all[i] = testenv.RandomUnit(r, dims)
		for k := range all[i] {
			all[i][k] += float32(middle) * common[k]
		}
		testenv.Unit(all[i])
	}
	return all
}

func product(a, b []float32) (sum float64) {
	for i, x := range a {
		sum += float64(x) * float64(b[i])
	}
	return sum
}

func moreThanASegment(dims int) int { return layoutOf(dims).perSegment + 77 }

func meanOf(all [][]float32) []float32 {
	mean := make([]float32, len(all[0]))
	for _, v := range all {
		for i, x := range v {
			mean[i] += x / float32(len(all))
		}
	}
	return mean
}

// edit is v turned until its inner product with it is cosine.
func edit(r *rand.Rand, v []float32, cosine float64) []float32 {
	across := testenv.RandomUnit(r, len(v))
	along := product(across, v)
	for i := range across {
		across[i] -= float32(along) * v[i]
	}
	testenv.Unit(across)
	for i := range across {
		across[i] = float32(cosine)*v[i] + float32(math.Sqrt(1-cosine*cosine))*across[i]
	}
	return across
}

// An edit's original is found and its score known but for what bytes cannot tell, whatever the width and wherever the middle is.
func TestAnEditLeadsToItsOriginal(t *testing.T) {
	for name, test := range map[string]struct {
		dims   int
		middle float64
		cosine float64 // of an edit; with the middle strangers have nearly as much
	}{
		"the shipped model's width": {256, 0, 0.7},
		"a middle far away":         {256, 2, 0.95},
		"CLIP's width":              {512, 1, 0.85},
		"no whole words":            {100, 0.5, 0.85},
	} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, uint64(test.dims)))
			all := vectors(r, moreThanASegment(test.dims), test.dims, test.middle)
			penalties := make([]float32, len(all))
			s := New(meanOf(all))
			for i, v := range all {
				penalties[i] = 0.1 * r.Float32()
				s.Add(numbered(i), v, penalties[i])
			}
			require.Equal(t, len(all), s.Len())
			for range 20 {
				of := r.IntN(len(all))
				q := edit(r, all[of], test.cosine)
				others := math.Inf(-1)
				for i, v := range all {
					if i != of {
						others = max(others, product(q, v)-float64(penalties[i]))
					}
				}
				ids, bound := nearest(s, q, 10, nil)
				require.Len(t, ids, 10)
				require.Equal(t, numbered(of), ids[0])
				require.Less(t, float64(bound), others+0.005, "the tenth is not above the second")
				_, bound = nearest(s, q, 1, nil)
				require.InDelta(t, product(q, all[of])-float64(penalties[of]), bound, 0.005)
			}
		})
	}
}

// Of vectors without any likeness of their own even a far edit leads to its original, whose cosine no stranger's is near.
func TestAFarEditLeadsToItsOriginal(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	all := vectors(r, 2*moreThanASegment(256), 256, 0)
	s := New(make([]float32, 256))
	for i, v := range all {
		s.Add(numbered(i), v, 0)
	}
	for range 200 {
		of := r.IntN(len(all))
		ids, _ := nearest(s, edit(r, all[of], 0.36), 1, nil)
		require.Equal(t, []uuid.UUID{numbered(of)}, ids)
	}
}

func nearest(s *Set, q []float32, k int, deleted map[uuid.UUID]bool) (ids []uuid.UUID, bound float32) {
	near, bound := s.Nearest(q, k, deleted)
	for _, n := range near {
		ids = append(ids, n.ID)
	}
	return ids, bound
}

func TestNearestOfFew(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	s := New(make([]float32, 8))
	ids, bound := nearest(s, testenv.RandomUnit(r, 8), 3, nil)
	require.Empty(t, ids)
	require.True(t, math.IsInf(float64(bound), -1), "of nothing nothing is left")

	v := testenv.RandomUnit(r, 8)
	s.Add(numbered(1), v, 0)
	s.Add(numbered(2), edit(r, v, 0.9), 0)
	s.Add(numbered(1), edit(r, v, 0.5), 0)
	s.Add(numbered(3), make([]float32, 8), 0)
	ids, bound = nearest(s, v, 4, nil)
	require.Equal(t, []uuid.UUID{numbered(1), numbered(2), numbered(3)}, ids, "each once")
	require.True(t, math.IsInf(float64(bound), -1))
	ids, bound = nearest(s, v, 2, nil)
	require.Equal(t, []uuid.UUID{numbered(1), numbered(2)}, ids)
	require.InDelta(t, 0.9, bound, 0.01)
	ids, bound = nearest(s, v, 2, map[uuid.UUID]bool{numbered(1): true})
	require.Equal(t, []uuid.UUID{numbered(2), numbered(3)}, ids)
	require.True(t, math.IsInf(float64(bound), -1))
	require.PanicsWithValue(t, "sketch: a vector of 7 numbers into a set of 8", func() { s.Add(numbered(4), v[:7], 0) })
}

// A penalty counts as much as the vector does: the less like one is nearer where the other's penalty is large.
func TestHalvesCount(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	all := vectors(r, 8000, 64, 0)
	s := New(make([]float32, 64))
	for i, v := range all {
		s.Add(numbered(i), v, 0.3)
	}
	q := edit(r, all[5], 0.9)
	s.Add(numbered(-1), edit(r, q, 0.8), 0.1)
	ids, bound := nearest(s, q, 2, nil)
	require.Equal(t, []uuid.UUID{numbered(-1), numbered(5)}, ids)
	require.InDelta(t, 0.6, bound, 0.01)
}

// Vectors that are added while it is asked are found or not, and all afterwards.
func TestAddWhileAsked(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	all := vectors(r, moreThanASegment(16), 16, 0)
	s := New(make([]float32, 16))
	var adding sync.WaitGroup
	adding.Go(func() {
		for i, v := range all {
			s.Add(numbered(i), v, 0)
		}
	})
	for range 20 {
		ids, _ := nearest(s, all[0], 5, nil)
		require.LessOrEqual(t, len(ids), 5)
	}
	adding.Wait()
	ids, _ := nearest(s, all[len(all)-1], 1, nil)
	require.Equal(t, []uuid.UUID{numbered(len(all) - 1)}, ids)
	require.Greater(t, s.Bytes(), int64(len(all)*(28+8+16)))
}

// What several cores find is what one does, the bound as well.
func TestCoresFindTheSame(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	s := New(make([]float32, 16))
	for i := range 3 * worthACore * s.perSegment / 2 {
		s.Add(numbered(i), testenv.RandomUnit(r, 16), 0)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for range 20 {
		q := testenv.RandomUnit(r, 16)
		runtime.GOMAXPROCS(1)
		alone, boundAlone := nearest(s, q, 100, nil)
		runtime.GOMAXPROCS(4)
		together, bound := nearest(s, q, 100, nil)
		require.Len(t, alone, 100)
		require.Equal(t, alone, together)
		require.InDelta(t, boundAlone, bound, 0)
	}
}

func TestBestAreTheHighest(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	for _, k := range []int{1, 2, 7} {
		var all []float32
		parts := []best{{k: k}, {k: k}, {k: k}}
		for range 30 {
			score, p := float32(r.IntN(20)), &parts[r.IntN(len(parts))]
			all = append(all, score)
			if p.keeps(score) {
				p.keep(ranked{score: score})
			}
		}
		slices.SortFunc(all, func(a, b float32) int { return cmp.Compare(b, a) })
		for _, p := range parts[1:] {
			parts[0].add(p)
		}
		var kept []float32
		for _, row := range parts[0].rows {
			kept = append(kept, row.score)
		}
		require.Equal(t, all[:k], kept)
	}
}

// Where much of what looks nearest is deleted, what was not looked at may be nearer than what is left.
func TestMuchThatIsGoneProvesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	s := New(make([]float32, 64))
	q := testenv.RandomUnit(r, 64)
	deleted := map[uuid.UUID]bool{}
	for i := range 3 * leastLooked {
		s.Add(numbered(i), edit(r, q, 0.9), 0)
		deleted[numbered(i)] = true
	}
	for i := range 200 {
		s.Add(numbered(-i-1), edit(r, q, 0.8), 0)
	}
	_, bound := nearest(s, q, 100, deleted)
	require.True(t, math.IsInf(float64(bound), 1))
	clear(deleted)
	_, bound = nearest(s, q, 100, deleted)
	require.InDelta(t, 0.9, bound, 0.01)
}

func BenchmarkNearest(b *testing.B) {
	r := rand.New(rand.NewPCG(5, 5))
	s := New(make([]float32, 256))
	for i, v := range vectors(r, 200_000, 256, 0) {
		s.Add(numbered(i), v, 0)
	}
	q := testenv.RandomUnit(r, 256)
	for b.Loop() {
		s.Nearest(q, 100, nil)
	}
}
