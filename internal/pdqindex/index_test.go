package pdqindex

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"moderator/internal/pdq"
	"moderator/internal/testenv"
)

func randomHash(r *rand.Rand) (h pdq.Hash) {
	for i := 0; i < len(h); i += 8 {
		binary.NativeEndian.PutUint64(h[i:], r.Uint64())
	}
	return h
}

// flipped differs from h in so many bits, anywhere.
func flipped(r *rand.Rand, h pdq.Hash, bits int) pdq.Hash {
	for _, bit := range r.Perm(pdq.Bits)[:bits] {
		h[bit/8] ^= 1 << (bit % 8)
	}
	return h
}

// bruteForce compares the query with all hashes.
func bruteForce(all []pdq.Hash, deleted map[uint32]bool, query pdq.Hash, bits int) (near []Neighbour) {
	for d := range bits + 1 {
		for i, h := range all {
			if !deleted[uint32(i)] && h.Distance(query) == d {
				near = append(near, Neighbour{uint32(i), d})
			}
		}
	}
	return near
}

// The index finds what brute force finds, at every distance, at sizes around those at which hashes are merged.
func TestWithinIsExact(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, tailLimit - 1, tailLimit, 3*tailLimit + 7, 6*tailLimit + 11} {
		r := rand.New(rand.NewPCG(1, uint64(n)))
		var x Index
		var all []pdq.Hash
		for len(all) < n {
			// Groups of copies, all within 20 bits of one hash, in batches that end anywhere.
			h, batch := randomHash(r), []pdq.Hash{}
			for range min(1+r.IntN(40), n-len(all)) {
				batch = append(batch, flipped(r, h, r.IntN(21)))
			}
			require.Equal(t, uint32(len(all)), x.Add(batch...))
			all = append(all, batch...)
		}
		x.Wait()
		deleted := map[uint32]bool{}
		for range n / 10 {
			id := uint32(r.IntN(n))
			x.Remove(id)
			deleted[id] = true
		}
		require.Equal(t, n-len(deleted), x.Len())
		found := 0
		for i := range 27 {
			query, bits := randomHash(r), []int{31, 31, 31, 30, 17, 10, 0, 32, 45}[i%9]
			if n > 0 {
				query = flipped(r, all[r.IntN(n)], r.IntN(bits+1))
			}
			want := bruteForce(all, deleted, query, bits)
			require.Equal(t, want, x.Within(query, bits), "%d hashes, query %d, %d bits", n, i, bits)
			found += len(want)
		}
		require.True(t, n < tailLimit-1 || found > 40, "%d found of %d", found, n)
	}
}

// A bit is in one part at most, else the pigeonhole does not hold, and each part has its number of bits.
func TestPartsAreDisjoint(t *testing.T) {
	var zero code
	of := map[int][]int{}
	for bit := range pdq.Bits {
		c := code{}
		c[bit/64] = 1 << (bit % 64)
		for p := range parts {
			require.Zero(t, zero.part(p))
			if key := c.part(p); key != 0 {
				require.Equal(t, 1, bits.OnesCount32(key))
				of[bit] = append(of[bit], p)
			}
		}
		require.LessOrEqual(t, len(of[bit]), 1, "bit %d", bit)
	}
	require.Len(t, of, parts*partBits)
}

// Three bits differ in each part but one, in which two do, and the other way round: where the pigeonhole is tight.
func TestWithinWhereThePigeonholeIsTight(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(2, 2))
	var ofPart [parts][]int
	for bit := range pdq.Bits {
		c := code{}
		c[bit/64] = 1 << (bit % 64)
		for p := range parts {
			if c.part(p) != 0 {
				ofPart[p] = append(ofPart[p], bit)
			}
		}
	}
	hashes := make([]pdq.Hash, 2*tailLimit)
	for i := range hashes {
		hashes[i] = randomHash(r)
	}
	var x Index
	x.Add(hashes...)
	x.Wait()
	for i := range 200 {
		id := r.IntN(len(hashes))
		h := hashes[id]
		for k := range pdq.MaxDistance {
			part := ofPart[(k+i)%parts]
			bit := part[(k/parts+i)%len(part)]
			h[bit/8] ^= 1 << (bit % 8)
		}
		require.Contains(t, x.Within(h, pdq.MaxDistance), Neighbour{uint32(id), pdq.MaxDistance})
	}
}

// Hashes that are added while others ask are found from then on, through all merges.
func TestAddWhileAsked(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 3))
	all := make([]pdq.Hash, 3*tailLimit)
	for i := range all {
		all[i] = randomHash(r)
	}
	var x Index
	x.Add(all[0])
	stop := testenv.Meanwhile(2, func() bool { return assert.Equal(t, []Neighbour{{}}, x.Within(all[0], 31), "lost the first hash") })
	for from := 1; from < len(all); from += 1000 {
		to := min(from+1000, len(all))
		x.Add(all[from:to]...)
		require.Equal(t, []Neighbour{{ID: uint32(to - 1)}}, x.Within(all[to-1], 31))
	}
	stop()
	x.Wait()
	require.Equal(t, []Neighbour{{ID: 7 * 1000}}, x.Within(all[7*1000], 31))
}

// An identical hash that many flags have does not slow down others, and all its flags are found.
func TestManyOfOne(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(4, 4))
	one, other := randomHash(r), randomHash(r)
	var x Index
	for range 3 * tailLimit {
		x.Add(one)
	}
	last := x.Add(other)
	x.Wait()
	require.Len(t, x.Within(one, 31), 3*tailLimit)
	require.Equal(t, []Neighbour{{ID: last}}, x.Within(other, 31))
	require.Panics(t, func() { x.Remove(last + 1) })
	x.Remove(last)
	x.Remove(last)
	require.Empty(t, x.Within(other, 31))
	require.Equal(t, 3*tailLimit, x.Len())
}
