package main

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// Pairs are as alike as the comment on cloud says.
func TestCloudCrowds(t *testing.T) {
	const n = 2000
	vectors := newCloud(matchDims, 3).draw(n, 4)
	var pairs []float64
	for i, v := range vectors {
		require.InDelta(t, 1, dot(v, v), 1e-5)
		for _, w := range vectors[:i] {
			pairs = append(pairs, float64(dot(v, w)))
		}
	}
	slices.Sort(pairs)
	for share, want := range map[float64]float64{0.1: 0.13, 0.01: 0.24, 1e-4: 0.47, 1e-5: 0.61} {
		got := pairs[int(float64(len(pairs))*(1-share))]
		t.Logf("1 in %.0f: %.3f", 1/share, got)
		require.InDelta(t, want, got, 0.03)
	}
}
