package keypoint

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// Planes narrower than the kernel too: what lies beyond the edge is the edge's value.
func TestBlur(t *testing.T) {
	const sigma, height = 1.5, 3
	radius := int(math.Ceil(3 * sigma))
	weights, sum := make([]float64, 2*radius+1), 0.0
	for k := range weights {
		weights[k] = math.Exp(-float64((k-radius)*(k-radius)) / (2 * sigma * sigma))
		sum += weights[k]
	}
	for width := 1; width <= 70; width++ {
		space := takeSpace(width * height)
		m := space.image(width, height)
		for i := range m.pix {
			m.pix[i] = int16((i*7919)%31) * 500
		}
		got := space.blurred(m, 0, sigma)
		clamped := func(x, y int) float64 { return float64(m.at(min(max(x, 0), width-1), min(max(y, 0), height-1))) }
		for y := range height {
			for x := range width {
				want := 0.0
				for j, wy := range weights {
					for i, wx := range weights {
						want += wy * wx * clamped(x+i-radius, y+j-radius) / (sum * sum)
					}
				}
				require.InDelta(t, want, got.at(x, y), 5, "width %d, at %d, %d", width, x, y)
			}
		}
	}
}

// Of a plane that is blurred already, pixels that are left out of the kernel are not missed: away from the edge, which is a step where
// it is repeated, the result of noise is within a tenth of a grey level.
func TestBlurFurther(t *testing.T) {
	const side, edge = 64, 16
	for i := range intervals + 2 {
		before, after := firstSigma*math.Exp2(float64(i)/intervals), firstSigma*math.Exp2(float64(i+1)/intervals)
		r := rand.New(rand.NewPCG(1, 1))
		space := takeSpace(side * side)
		m := space.image(side, side)
		for i := range m.pix {
			m.pix[i] = int16((r.IntN(256) - middle) * perLevel)
		}
		m = space.blurred(m, 0, before)
		got := space.blurred(m, before, after)
		want := space.blurred(m, 0, math.Sqrt(after*after-before*before))
		for y := edge; y < side-edge; y++ {
			for x := edge; x < side-edge; x++ {
				require.InDelta(t, want.at(x, y), got.at(x, y), perLevel/10, "from %.2f to %.2f pixels, at %d, %d", before, after, x, y)
			}
		}
		space.give()
	}
}
