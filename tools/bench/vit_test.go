package main

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/embed"
	"moderator/internal/testenv"
)

// small has every part of the real tower, and is fast.
var small = tower{image: 64, patch: 32, width: 24, heads: 3, layers: 2, projection: 8}

func vectorOf(t *testing.T, t2 tower, quantised bool) []float32 {
	session, err := openSession(t2.build(7, quantised), "pixel_values", "image_embeds")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, session.Destroy()) })
	run, err := newInference(session, 2, t2.image, t2.projection)
	require.NoError(t, err)
	t.Cleanup(run.close)
	require.NoError(t, run.run())
	return append([]float32(nil), run.out.GetData()...)
}

func TestTowersRun(t *testing.T) {
	t.Setenv("MODERATOR_ONNXRUNTIME_LIB", testenv.ONNXRuntime(t))
	require.NoError(t, embed.LoadLibrary())
	full, quantised := vectorOf(t, small, false), vectorOf(t, small, true)
	require.Len(t, full, 2*small.projection)
	var dot, a, b float64
	for i := range full {
		dot += float64(full[i]) * float64(quantised[i])
		a += float64(full[i]) * float64(full[i])
		b += float64(quantised[i]) * float64(quantised[i])
	}
	require.Greater(t, a, 0.0)
	require.Greater(t, dot/math.Sqrt(a*b), 0.98, "the quantised tower computes nearly the same")
}

func TestViTB32HasTheWorkOfTheRealOne(t *testing.T) {
	require.InDelta(t, 8.82e9, vitB32.flop(), 0.05e9)
}
