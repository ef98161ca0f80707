package vit

import (
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/embed"
	"moderator/internal/testenv"
)

// small has every part of the real tower, and is fast.
var small = Tower{Image: 64, Patch: 32, Width: 24, Heads: 3, Layers: 2, Projection: 8}

func vectorOf(t *testing.T, precision Precision) []float32 {
	folder, err := embed.LoadFS(small.Folder("small", 7, precision))
	require.NoError(t, err)
	model, err := embed.Open(t.Context(), folder, embed.Options{Library: testenv.ONNXRuntime(t), Provider: "cpu"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, model.Close()) })
	picture := make([]byte, 3*64*64)
	for i := range picture {
		picture[i] = byte(i % 255)
	}
	vectors, err := model.Embed(t.Context(), [][]byte{picture})
	require.NoError(t, err)
	return vectors[0]
}

func TestTowersOfEveryPrecisionComputeNearlyTheSame(t *testing.T) {
	full := vectorOf(t, Float32)
	require.Len(t, full, small.Projection)
	for precision, least := range map[Precision]float32{Float16: 0.9999, Int8: 0.98} {
		var cosine float32
		for i, v := range vectorOf(t, precision) {
			cosine += v * full[i] // both have length 1
		}
		require.Greater(t, cosine, least)
	}
}

func TestViTB32HasTheWorkOfTheRealOne(t *testing.T) {
	require.InDelta(t, 8.82e9, B32.Flop(), 0.05e9)
}
