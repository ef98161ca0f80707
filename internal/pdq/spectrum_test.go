package pdq

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// The median is that of sorting, of numbers of both signs, of equal ones and of zeros.
func TestMedianIsOfTheSorted(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for i := range 1000 {
		var c spectrum
		for k := range c {
			c[k] = float32(r.NormFloat64()) * 100
			if i%2 == 0 {
				c[k] = float32(r.IntN(7) - 3)
			}
		}
		sorted := slices.Sorted(slices.Values(c[:]))
		require.Equal(t, sorted[len(sorted)/2-1], c.median())
	}
}
