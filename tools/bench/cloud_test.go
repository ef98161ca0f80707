package main

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/dot"
	"moderator/internal/imaging"
	"moderator/internal/recognise"
)

// Drawn pictures have the similarities that the comment on cloud gives.
func TestCloudCrowds(t *testing.T) {
	vectors := newCloud(matchDims, 3).draw(10_000, 4)
	nearest := make([]float64, 200)
	alike := make([][]float64, len(nearest))
	onCores(len(nearest), func(i int) {
		for j, w := range vectors {
			if j != i {
				alike[i] = append(alike[i], float64(dot.Product(vectors[i], w)))
			}
		}
		nearest[i] = slices.Max(alike[i])
	})
	for _, v := range vectors[:100] {
		require.InDelta(t, 1, dot.Product(v, v), 1e-4)
	}
	pairs := slices.Concat(alike...)
	for share, want := range map[float64]float64{0.9: 0.16, 0.99: 0.29, 0.999: 0.42, 0.9999: 0.57} {
		require.InDelta(t, want, quantile(pairs, share), 0.05, "of pairs, %g", share)
	}
	for share, want := range map[float64]float64{0.1: 0.44, 0.5: 0.55, 0.9: 0.68} {
		require.InDelta(t, want, quantile(nearest, share), 0.04, "of the nearest, %g", share)
	}
}

func quantile(values []float64, share float64) float64 {
	slices.Sort(values)
	return values[int(share*float64(len(values)-1))]
}

// Flags have the views that they are stored with: one, and a second where the picture has a border.
func TestFlagsAreDrawnAsTheyAreStored(t *testing.T) {
	const n = 500
	flags := newCloud(matchDims, 3).flags(n, 4)
	require.Len(t, flags, n+n/borders)
	var originals [][]float32
	for _, f := range flags {
		require.Contains(t, recognise.FlagViews(), f.view)
		if f.view == imaging.ViewOriginal {
			originals = append(originals, f.vector)
		}
		require.Equal(t, len(originals)-1, f.flag)
		require.GreaterOrEqual(t, float64(dot.Product(f.vector, originals[f.flag])), 0.8)
	}
	require.Len(t, originals, n)
}
