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

// guidePlane is a drawn picture's plane, as Guide looks at it.
func guidePlane(t testing.TB, i int) *imaging.Gray {
	t.Helper()
	g := plane(t, i)
	small, err := g.Resized(keypoint.PlaneSize(g.Width, g.Height))
	require.NoError(t, err)
	return small
}

func BenchmarkNewPlane(b *testing.B) {
	g := guidePlane(b, 3)
	for b.Loop() {
		keypoint.NewPlane(g.Width, g.Height, g.Pix).Close()
	}
}

func BenchmarkGuide(b *testing.B) {
	for name, i := range map[string]int{"copy": 3, "stranger": 4} {
		b.Run(name, func(b *testing.B) {
			g, h, small := plane(b, 3), plane(b, i), guidePlane(b, i)
			flag, points := keypoint.Extract(g.Width, g.Height, g.Pix, keypoint.FlagPoints), keypoint.Extract(h.Width, h.Height, h.Pix, keypoint.UploadPoints)
			a := keypoint.Verify(flag, keypoint.Prepare(points))
			p := keypoint.NewPlane(small.Width, small.Height, small.Pix)
			defer p.Close()
			for b.Loop() {
				keypoint.Guide(flag, p, a)
			}
		})
	}
}
