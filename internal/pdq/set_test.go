package pdq

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func numbered(i int) (id uuid.UUID) {
	binary.BigEndian.PutUint64(id[:], uint64(i))
	return id
}

func randomHash(r *rand.Rand) (h Hash) {
	for i := range h {
		h[i] = byte(r.Uint32())
	}
	return h
}

// flipped returns h with random bits changed.
func flipped(r *rand.Rand, h Hash, bits int) Hash {
	for _, bit := range r.Perm(Bits)[:bits] {
		h[bit/8] ^= 1 << (bit % 8)
	}
	return h
}

// Within finds every hash within the distance, at any position, and no other.
func TestWithin(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var s Set
	found, cut := s.Within([]Query{{randomHash(r), Bits}}, 10, nil)
	require.Equal(t, [][]uuid.UUID{nil}, found)
	require.False(t, cut)

	const rows = 3*chunk + 7
	qs := make([]Query, rows)
	for i := range rows {
		qs[i] = Query{randomHash(r), i % 100}
		s.Add(numbered(i), 1, flipped(r, qs[i].Hash, i%100))
		s.Add(numbered(-1-i), 1, flipped(r, qs[i].Hash, i%100+1))
	}
	require.Equal(t, 2*rows, s.Len())
	require.GreaterOrEqual(t, s.Bytes(), int64(2*rows*52))
	found, cut = s.Within(qs, 10, nil)
	require.False(t, cut)
	for i, ids := range found {
		require.Contains(t, ids, numbered(i))
		require.NotContains(t, ids, numbered(-1-i))
	}
	require.Equal(t, []uuid.UUID{numbered(5)}, found[5])
	found, _ = s.Within(qs[5:6], 10, map[uuid.UUID]bool{numbered(5): true})
	require.Empty(t, found[0])
}

// Many copies in one group do not hide the nearest pictures of other groups.
func TestManyCopiesHideNoOtherGroup(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	var s Set
	h := randomHash(r)
	for i := range 5000 {
		s.Add(numbered(i), 1, flipped(r, h, 31-i%20))
		s.Add(numbered(i), 1, flipped(r, h, 31)) // another view of it
	}
	s.Add(numbered(-1), 2, flipped(r, h, 31))
	s.Add(numbered(-2), 1, h)
	found, cut := s.Within([]Query{{h, 31}}, 100, nil)
	require.True(t, cut)
	require.Len(t, found[0], 101)
	require.Equal(t, numbered(-2), found[0][0])
	require.Equal(t, numbered(-1), found[0][100])
	for _, id := range found[0][1:100] {
		require.Equal(t, uint64(19), binary.BigEndian.Uint64(id[:])%20)
	}
	slices.SortFunc(found[0], func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
	require.Len(t, slices.Compact(found[0]), 101, "each once")
}

// Hashes that are added during a query may be found. After it, all are found.
func TestAddDuringQueries(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	all := make([]Hash, 10*chunk)
	for i := range all {
		all[i] = randomHash(r)
	}
	var s Set
	var adding sync.WaitGroup
	adding.Go(func() {
		for i, h := range all {
			s.Add(numbered(i), 1, h)
		}
	})
	for range 50 {
		found, _ := s.Within([]Query{{all[0], 0}}, 1, nil)
		require.LessOrEqual(t, len(found[0]), 1)
	}
	adding.Wait()
	found, _ := s.Within([]Query{{all[len(all)-1], 0}}, 1, nil)
	require.Equal(t, []uuid.UUID{numbered(len(all) - 1)}, found[0])
}

func BenchmarkWithin(b *testing.B) {
	r := rand.New(rand.NewPCG(4, 4))
	var s Set
	for i := range 1_000_000 {
		s.Add(numbered(i), 1, randomHash(r))
	}
	qs := []Query{{randomHash(r), 80}}
	for b.Loop() {
		s.Within(qs, 100, nil)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1e6, "ns/hash")
}
