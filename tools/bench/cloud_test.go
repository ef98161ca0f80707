package main

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/dot"
	"moderator/internal/imaging"
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

// Turns compose to turns, and views have the similarities that the comment on answers gives.
func TestTurns(t *testing.T) {
	flags := newCloud(matchDims, 3).flags(500*len(flagViews), 4)
	turnedOnce := turn(flags[0].picture, turns[imaging.ViewRotate90])
	require.NotEqual(t, flags[0].picture, turnedOnce)
	require.Equal(t, flags[0].picture, turn(turnedOnce, turns[imaging.ViewRotate270]))
	mirrored := turn(turnedOnce, turns[imaging.ViewFlipHorizontal])
	require.Equal(t, turn(flags[0].picture, turns[imaging.ViewTranspose]), mirrored)

	alike := map[imaging.View][]float64{}
	for i, f := range flags {
		original := flags[i-i%len(flagViews)]
		alike[f.view] = append(alike[f.view], float64(dot.Product(f.vector, original.vector)))
	}
	for view, want := range map[imaging.View]float64{
		imaging.ViewOriginal: 1, imaging.ViewCenter90: 0.88, imaging.ViewFlipHorizontal: 0.57, imaging.ViewFlipVertical: 0.57,
		imaging.ViewRotate180: 0.35, imaging.ViewRotate90: 0.3, imaging.ViewRotate270: 0.3, imaging.ViewTranspose: 0.28, imaging.ViewTransverse: 0.28,
	} {
		require.InDelta(t, want, quantile(alike[view], 0.5), 0.05, view)
	}
}
