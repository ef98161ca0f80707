package keypoint_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/imaging"
	"moderator/internal/keypoint"
	"moderator/internal/synth"
	"moderator/internal/transforms"
)

// plane is a drawn picture's, as it is looked at.
func plane(t testing.TB, i int) *imaging.Gray {
	t.Helper()
	file, err := transforms.Encode(synth.Draw(1, i, 640, 480), transforms.JPEG, 92)
	require.NoError(t, err)
	result, err := imaging.Decode(file, imaging.Request{Gray: true, Limits: imaging.DefaultLimits()})
	require.NoError(t, err)
	w, h := keypoint.Size(result.Width, result.Height)
	g, err := result.Frames[0].Views[0].Gray.Resized(w, h)
	require.NoError(t, err)
	return g
}

func BenchmarkExtract(b *testing.B) {
	g := plane(b, 3)
	for b.Loop() {
		keypoint.Extract(g.Width, g.Height, g.Pix, keypoint.UploadPoints)
	}
}

func BenchmarkVerify(b *testing.B) {
	g, h := plane(b, 3), plane(b, 4)
	flag, points := keypoint.Extract(g.Width, g.Height, g.Pix, keypoint.FlagPoints), keypoint.Extract(h.Width, h.Height, h.Pix, keypoint.UploadPoints)
	b.Logf("%d and %d points", len(flag.Points), len(points.Points))
	upload := keypoint.Prepare(points)
	for b.Loop() {
		keypoint.Verify(flag, upload)
	}
}
