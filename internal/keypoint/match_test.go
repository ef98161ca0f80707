package keypoint

import (
	"math/bits"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// matched is match as it is defined, pair by pair.
func matched(flag, upload Features) []pair {
	type taker struct{ upload, distance int }
	taken := make([]taker, len(flag.Points))
	for j, u := range upload.Points {
		at, first, second := 0, 129, 129
		for i, f := range flag.Points {
			d := bits.OnesCount64(u.Bits[0]^f.Bits[0]) + bits.OnesCount64(u.Bits[1]^f.Bits[1])
			if d < first {
				at, first, second = i, d, first
			} else {
				second = min(second, d)
			}
		}
		if first <= maxBits && float64(first) < maxRatio*float64(second) && (taken[at].distance == 0 || first+1 < taken[at].distance) {
			taken[at] = taker{j, first + 1}
		}
	}
	var pairs []pair
	for i, t := range taken {
		if t.distance > 0 {
			pairs = append(pairs, pair{&flag.Points[i], &upload.Points[t.upload]})
		}
	}
	return pairs
}

func TestMatchIsByTheNearest(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 23 {
		var flag, upload Features
		for range n {
			flag.Points = append(flag.Points, Point{Bits: Bits{r.Uint64(), r.Uint64()}})
		}
		for range 40 { // few bits away from a flag's, or from none
			b := Bits{r.Uint64(), r.Uint64()}
			if n > 0 && r.IntN(4) > 0 {
				b = flag.Points[r.IntN(n)].Bits
				for range r.IntN(50) {
					b[r.IntN(2)] ^= 1 << r.IntN(64)
				}
			}
			upload.Points = append(upload.Points, Point{Bits: b})
		}
		want, got := matched(flag, upload), match(flag, upload)
		require.Len(t, got, len(want), "%d points", n)
		for i := range want {
			require.Same(t, want[i].flag, got[i].flag)
			require.Same(t, want[i].upload, got[i].upload)
		}
		require.True(t, n < 8 || len(want) > 0)
	}
}

// What the edits do to a description, cell by cell and direction by direction.
func TestEditsOfADescription(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	at := func(row, column, k int) int { return (row*grid+column)*bins + k }
	for range 20 {
		b := Bits{r.Uint64(), r.Uint64()}
		bit := func(b Bits, i int) uint64 { return b[i/64] >> (i % 64) & 1 }
		for row := range grid {
			for column := range grid {
				for k := range bins {
					require.Equal(t, bit(b, at(grid-1-row, column, (bins-k)%bins)), bit(b.mirrored(), at(row, column, k)))
					require.Equal(t, bit(b, at(grid-1-row, grid-1-column, k)), bit(b.inverted(), at(row, column, k)))
				}
			}
		}
	}
}
