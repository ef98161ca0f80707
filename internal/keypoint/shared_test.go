package keypoint_test

import (
	"image"
	"image/draw"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/keypoint"
	"moderator/internal/synth"
	"moderator/internal/transforms"
)

// framed is a picture in the frame of all others, with the inner one that has this number.
func framed(number int) *image.RGBA {
	p := synth.Draw(1, 1, 640, 480)
	inner := image.Rect(170, 110, 470, 370)
	draw.Draw(p, inner, synth.Draw(1, number, 300, 260), image.Point{}, draw.Src)
	return p
}

func encoded(t *testing.T, p *image.RGBA, quality int) []byte {
	t.Helper()
	file, err := transforms.Encode(p, transforms.JPEG, quality)
	require.NoError(t, err)
	return file
}

// contrasted is what Contrast says of flags' agreements with an upload.
func contrasted(t *testing.T, upload []byte, flagged ...[]byte) []*keypoint.Agreement {
	t.Helper()
	asked := keypoint.Prepare(points(t, upload, false))
	found, flags := make([]*keypoint.Agreement, len(flagged)), make([]keypoint.Features, len(flagged))
	for i, file := range flagged {
		flags[i] = points(t, file, true)
		a := keypoint.Verify(flags[i], asked)
		found[i] = &a
	}
	keypoint.Contrast(found, flags)
	return found
}

func TestContrastTellsAFrameThatSeveralFlagsHave(t *testing.T) {
	first, second := encoded(t, framed(5), 90), encoded(t, framed(6), 90)

	other := contrasted(t, encoded(t, framed(7), 90), first, second)
	for _, a := range other {
		require.Greater(t, a.Points, keypoint.LeastPoints)
		require.Greater(t, a.Support.Shared, 0.7, "of another picture in the frame")
	}

	copied := contrasted(t, encoded(t, framed(5), 60), first, second)
	require.Less(t, copied[0].Support.Shared, 0.1, "nothing of the flag is missing")
	require.Greater(t, copied[1].Support.Shared, 0.7)

	alone := contrasted(t, encoded(t, framed(7), 90), first)
	require.Zero(t, alone[0].Support.Shared)
}

// A picture that was flagged twice is no other picture, whatever lies over the upload.
func TestContrastPassesOverCopiesOfOneFlag(t *testing.T) {
	p := synth.Draw(1, 3, 640, 480)
	covered := synth.Draw(1, 3, 640, 480)
	draw.Draw(covered, image.Rect(170, 110, 470, 370), image.White, image.Point{}, draw.Src)
	for _, a := range contrasted(t, encoded(t, covered, 90), encoded(t, p, 90), encoded(t, p, 50)) {
		require.Greater(t, a.Points, keypoint.LeastPoints)
		require.Zero(t, a.Support.Shared)
	}
}
