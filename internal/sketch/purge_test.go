package sketch

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// A purge gives memory back, leaves segments of which nothing is deleted as they are, and hides no vector from those who look meanwhile.
func TestPurge(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 11))
	const dims = 200
	s := New(make([]float32, dims))
	full := s.perSegment
	all := vectors(r, 4*full+77, dims, 0)
	deleted := map[uuid.UUID]bool{}
	for i, v := range all {
		s.Add(numbered(i), v, 0)
		if i >= full && (i < 2*full || i%4 != 0) { // none of the first segment, all of the second, and most of the others
			deleted[numbered(i)] = true
		}
	}
	first := s.segments[0].segment
	kept := []int{full - 1, 2*full + full%4, len(all) - 1 - (len(all)-1)%4}
	var done atomic.Bool
	var looking sync.WaitGroup
	for _, i := range kept {
		require.False(t, deleted[numbered(i)])
		looking.Go(func() {
			for !done.Load() {
				ids, _ := nearest(s, all[i], 1, nil)
				if len(ids) != 1 || ids[0] != numbered(i) {
					t.Errorf("vector %d is hidden by a purge: %v", i, ids)
					return
				}
			}
		})
	}
	s.Purge(deleted)
	done.Store(true)
	looking.Wait()

	require.True(t, first == s.segments[0].segment)
	require.Equal(t, len(all)-len(deleted), s.Len())
	require.EqualValues(t, 2, s.Bytes()/int64(s.bytes), "of five segments the first is full, and a quarter of two and some rows is left")
	for i := range len(all) / 53 {
		i *= 53
		ids, _ := nearest(s, all[i], 1, nil)
		require.Equal(t, deleted[numbered(i)], ids[0] != numbered(i), "vector %d", i)
	}
	s.Purge(deleted)
	require.Equal(t, len(all)-len(deleted), s.Len(), "the same again changes nothing")

	// Rows that follow go into the last segment.
	s.Add(numbered(1), all[full], 0)
	ids, _ := nearest(s, all[full], 1, nil)
	require.Equal(t, []uuid.UUID{numbered(1)}, ids)
	for i := range all {
		deleted[numbered(i)] = true
	}
	s.Purge(deleted)
	require.Zero(t, s.Len())
	require.Zero(t, s.Bytes())
	ids, _ = nearest(s, all[0], 1, nil)
	require.Empty(t, ids)
}
