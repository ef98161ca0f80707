package matchdb

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// However many copies one bank has, those of the others are found, and the nearest of each; of a flag all near hashes, to be removed
// with it.
func TestACrowdHidesNoNeighbour(t *testing.T) {
	numbered := func(i int) (id uuid.UUID) {
		binary.BigEndian.PutUint64(id[:], uint64(i))
		return id
	}
	r := rand.New(rand.NewPCG(2, 2))
	var s hashSet
	h := randomHash(r)
	for i := range 5000 {
		s.add(numbered(i), 1, flipped(h, 31-i%20))
		s.add(numbered(i), 1, flipped(h, 31)) // another view of it
	}
	s.add(numbered(-1), 2, flipped(h, 31))
	s.add(numbered(-2), 1, h)
	s.add(numbered(-3), 3, flipped(h, 32))
	s.flush()
	s.Index.Wait()
	near, cut := s.within(h, 31, 100)
	require.True(t, cut)
	var images []uuid.UUID
	for _, n := range near {
		images = append(images, n.image)
	}
	require.Equal(t, numbered(-2), images[0])
	require.Contains(t, images, numbered(-1))
	require.NotContains(t, images, numbered(-3))
	require.Len(t, images, 2+2*99)
	slices.SortFunc(images, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
	require.Len(t, slices.Compact(images), 101)
	for _, n := range near {
		if n.bank == 1 && n.image != numbered(-2) {
			require.Equal(t, uint64(19), binary.BigEndian.Uint64(n.image[:])%20)
		}
	}

	before := s.Len()
	s.remove([][]hashNeighbour{near}, []uuid.UUID{numbered(19)})
	require.Equal(t, before-2, s.Len())
	_, cut = s.within(h, 31, 5001)
	require.False(t, cut)
}
