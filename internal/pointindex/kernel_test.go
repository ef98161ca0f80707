package pointindex

import (
	"math/bits"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// The kernel finds what a comparison of each code of the asked buckets finds, whatever the buckets' sizes, and no more than there is room for.
func TestNearComparesAllCodesOfTheBuckets(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(6, 6))
	const limit = 26
	for _, entries := range []int{0, 1, 300, 40_000} {
		more := make([]entry, entries)
		for i := range more {
			more[i] = entry{code: r.Uint64() &^ uint64(r.IntN(256))} // some buckets have many
		}
		p := newPartition(0).merged(more, func(uint32) bool { return false })
		queries := make([]uint64, 20)
		var asks []ask
		for i := range queries {
			queries[i] = r.Uint64()
			for range 50 {
				asks = append(asks, ask{uint32(i), r.Uint32N(1 << (p.bits + 1))})
			}
		}
		want := []near{}
		for _, a := range asks {
			if a.flip>>p.bits != 0 {
				continue
			}
			at := p.bucket(queries[a.point]) ^ a.flip
			for k := p.starts.Values[at]; k < p.starts.Values[at+1]; k++ {
				if d := bits.OnesCount64(p.codes.Values[k] ^ queries[a.point]); d <= limit {
					want = append(want, near{k, a.point, uint32(d)})
				}
			}
		}
		require.True(t, entries < 40_000 || len(want) > 100, "%d found", len(want))
		found := make([]near, len(want)+1)
		require.Equal(t, len(want), p.near(asks, queries, limit, found))
		require.Equal(t, want, found[:len(want)], "%d entries", entries)
		if len(want) > 10 {
			require.Equal(t, 10, p.near(asks, queries, limit, found[:11]))
		}
	}
}
