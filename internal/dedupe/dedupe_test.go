package dedupe

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/pdq"
	"moderator/internal/testenv"
)

func innerProduct(a, b []float32) float64 {
	var sum float64
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}

// randomSet returns more than one block of views, with similar views for every third picture.
func randomSet(r *rand.Rand, pictures, dims int) (*Set, [][]View) {
	var s Set
	views := make([][]View, pictures)
	for i := range pictures {
		for range 1 + i%2 {
			l := View{Vector: testenv.RandomUnit(r, dims), Penalty: 0.1 * r.Float32(), Quality: 100 * (i % 2)}
			for k := range l.Hash {
				l.Hash[k] = byte(r.Uint32())
			}
			if i%3 == 1 {
				l = views[i-1][0]
				l.Vector, l.Hash[5], l.Quality = slices.Clone(l.Vector), l.Hash[5]^3, 90
			}
			if i%3 == 2 {
				l.Hash, l.Quality = views[i-1][0].Hash, 90
			}
			views[i] = append(views[i], l)
			s.Add(i, l)
		}
	}
	return &s, views
}

func TestPairsAreThoseOfTheWholeMatrix(t *testing.T) {
	const at = 0.35
	s, views := randomSet(rand.New(rand.NewPCG(2, 2)), 1200, 24)
	require.Greater(t, s.Len(), blockFlags)
	var want []Pair
	hashed := 0
	for a := range views {
		for b := a + 1; b < len(views); b++ {
			best := Pair{A: int32(a), B: int32(b), Score: -9, Distance: NoHash}
			for _, x := range views[a] {
				for _, y := range views[b] {
					similarity := innerProduct(x.Vector, y.Vector)
					if score := float32(similarity) - x.Penalty - y.Penalty; score > best.Score {
						best.Score, best.Similarity = score, float32(similarity)
					}
					if d := x.Hash.Distance(y.Hash); d <= pdq.MaxDistance && min(x.Quality, y.Quality) >= pdq.MinQuality {
						best.Distance = min(best.Distance, int16(d))
					}
				}
			}
			if best.byHash() {
				hashed++
			}
			if best.Score >= at || best.byHash() {
				want = append(want, best)
			}
		}
	}
	got, err := Pairs(t.Context(), s, s, at, len(want))
	require.NoError(t, err)
	require.Len(t, got, len(want))
	require.Greater(t, hashed, 100)
	for i := range want {
		require.Equal(t, [2]int32{want[i].A, want[i].B}, [2]int32{got[i].A, got[i].B})
		require.Equal(t, want[i].Distance, got[i].Distance)
		if want[i].Score >= at {
			require.InDelta(t, want[i].Score, got[i].Score, 1e-5)
			require.InDelta(t, want[i].Similarity, got[i].Similarity, 1e-5)
		}
	}
	_, err = Pairs(t.Context(), s, s, at, len(want)-1)
	require.ErrorIs(t, err, ErrTooMany)
}

func pairsOf(scores map[[2]int32]float32) []Pair {
	var pairs []Pair
	for ab, score := range scores {
		pairs = append(pairs, Pair{A: ab[0], B: ab[1], Score: score, Distance: NoHash})
	}
	return best(pairs)
}

func TestAChainIsNotOneGroup(t *testing.T) {
	chain := pairsOf(map[[2]int32]float32{{0, 1}: 0.9, {1, 2}: 0.8, {2, 3}: 0.7, {5, 6}: 0.6})
	require.Equal(t, [][]int{{0, 1}, {2, 3}, {5, 6}}, Groups(7, chain))
	// A match by PDQ comes before any score.
	chain[1].Distance = 3
	require.Equal(t, [][]int{{1, 2}, {5, 6}}, Groups(7, chain))
	require.Nil(t, Groups(3, nil))
}

// completeLink is the textbook's algorithm: it joins the two groups whose worst pair is best, from a whole matrix.
func completeLink(n int, pairs []Pair) [][]int {
	score := map[[2]int]float32{}
	for _, p := range pairs {
		score[[2]int{int(p.A), int(p.B)}], score[[2]int{int(p.B), int(p.A)}] = p.Score, p.Score
	}
	var groups [][]int
	for i := range n {
		groups = append(groups, []int{i})
	}
	for {
		top, x, y := float32(-1), 0, 0
		for i := range groups {
			for j := i + 1; j < len(groups); j++ {
				worst := float32(9)
				for _, a := range groups[i] {
					for _, b := range groups[j] {
						s, ok := score[[2]int{a, b}]
						if !ok {
							s = -1
						}
						worst = min(worst, s)
					}
				}
				if worst > top {
					top, x, y = worst, i, j
				}
			}
		}
		if top < 0 {
			break
		}
		groups[x] = append(groups[x], groups[y]...)
		groups = slices.Delete(groups, y, y+1)
	}
	var large [][]int
	for _, g := range groups {
		if slices.Sort(g); len(g) > 1 {
			large = append(large, g)
		}
	}
	slices.SortFunc(large, func(a, b []int) int { return a[0] - b[0] })
	return large
}

func TestGroupsAreThoseOfCompleteLink(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 3))
		const n = 40
		var points [n][2]float64
		for i := range points {
			points[i] = [2]float64{r.Float64(), r.Float64()}
		}
		scores := map[[2]int32]float32{}
		for a := range int32(n) {
			for b := a + 1; b < n; b++ {
				if d := math.Hypot(points[a][0]-points[b][0], points[a][1]-points[b][1]); d < 0.3 {
					scores[[2]int32{a, b}] = float32(1 - d)
				}
			}
		}
		pairs := pairsOf(scores)
		require.Equal(t, completeLink(n, pairs), Groups(n, pairs))
	}
}

func BenchmarkPairs(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	var s Set
	for i := range 10_000 {
		s.Add(i, View{Vector: testenv.RandomUnit(r, 256), Quality: 100})
		s.hashes[i] = pdq.Hash{0: byte(i), 1: byte(i >> 8), 2: byte(r.Uint32()), 9: byte(r.Uint32())}
	}
	s.clear = make([]bool, s.Len())
	for b.Loop() {
		if _, err := Pairs(b.Context(), &s, &s, 0.5, 1e6); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(s.Len()*s.Len()*b.N)/b.Elapsed().Seconds()/1e6, "Mpairs/s")
}
