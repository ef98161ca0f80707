package keypoint_test

import (
	"image"
	"image/color"
	"image/draw"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/imaging"
	"moderator/internal/keypoint"
	"moderator/internal/synth"
	"moderator/internal/transforms"
)

// guidedTo looks for a flag in a file.
func guidedTo(t *testing.T, flag keypoint.Features, file []byte) keypoint.Guided {
	t.Helper()
	a := keypoint.Verify(flag, keypoint.Prepare(points(t, file, false)))
	plane := planeOf(t, file)
	defer plane.Close()
	return keypoint.Guide(flag, plane, a)
}

func planeOf(t testing.TB, file []byte) *keypoint.Plane {
	t.Helper()
	result, err := imaging.Decode(file, imaging.Request{Gray: true, Limits: imaging.DefaultLimits()})
	require.NoError(t, err)
	g, err := result.Frames[0].Views[0].Gray.Resized(keypoint.PlaneSize(result.Width, result.Height))
	require.NoError(t, err)
	return keypoint.NewPlane(g.Width, g.Height, g.Pix)
}

// Whatever is done to the whole picture, the surroundings of nearly all keypoints stay what they are.
func TestGuideFindsACopy(t *testing.T) {
	p, flag := drawing(t, 1)
	for _, e := range transforms.Quality() {
		switch e.Name {
		case "jpeg-30", "half-size", "brightness-contrast", "stretched-140", "mirror", "quarter-turn", "negative", "rotated-25", "crop-50":
			file, err := e.Apply(p, p, 1)
			require.NoError(t, err)
			g := guidedTo(t, flag, file)
			require.Greater(t, g.Looked, 20, e.Name)
			require.Greater(t, g.Similar, 0.8, e.Name)
			require.Less(t, g.Bits[1], 20.0, e.Name)
		}
	}
}

// A picture of a picture, taken from one side, has the flag's whole frame in place.
func TestAFrameSeenFromOneSideIsCompared(t *testing.T) {
	p, flag := drawing(t, 2)
	for _, e := range transforms.Quality() {
		if e.Name != "perspective" {
			continue
		}
		for seed := range uint64(5) {
			file, err := e.Apply(p, p, seed)
			require.NoError(t, err)
			g := guidedTo(t, flag, file)
			require.Greater(t, g.Similar, 0.8)
			require.Greater(t, g.Compared.Alike, 0.75)
			require.Greater(t, g.Compared.Same, 0.9)
		}
	}
}

func TestGuideTellsAnotherPicture(t *testing.T) {
	_, flag := drawing(t, 1)
	file, err := transforms.Encode(synth.Draw(1, 7, 640, 480), transforms.JPEG, 92)
	require.NoError(t, err)
	g := guidedTo(t, flag, file)
	require.Greater(t, g.Looked, 20)
	require.Less(t, g.Similar, 0.4)
}

// What is laid over a copy differs in one place, and all else is the same.
func TestGuideTellsWhereTheyDiffer(t *testing.T) {
	p, flag := drawing(t, 1)
	covered := image.NewRGBA(p.Rect)
	draw.Draw(covered, p.Rect, p, p.Rect.Min, draw.Src)
	draw.Draw(covered, image.Rect(0, 0, 640, 150), image.NewUniform(color.Gray{90}), image.Point{}, draw.Src)
	file, err := transforms.Encode(covered, transforms.JPEG, 92)
	require.NoError(t, err)
	g := guidedTo(t, flag, file)
	require.Less(t, g.Similar, 0.95)
	require.Greater(t, g.Similar, 0.4)
	require.Greater(t, g.Apart, 0.5, "what differs lies together")
	require.Less(t, g.Differs.Y+g.Differs.Height, 0.5, "the upper third, and what coarse keypoints see of it")
	require.Greater(t, g.Differs.Width, 0.3)
	require.InDelta(t, 1-g.Similar, g.Differs.Share, 0.1)
	whole, err := transforms.Encode(p, transforms.JPEG, 50)
	require.NoError(t, err)
	require.Zero(t, guidedTo(t, flag, whole).Differs)
}

func TestGuideWithoutKeypoints(t *testing.T) {
	plane := keypoint.NewPlane(40, 40, make([]byte, 1600))
	defer plane.Close()
	require.Zero(t, keypoint.Guide(keypoint.Features{Width: 320, Height: 240}, plane, keypoint.Agreement{}).Looked)
}

// Strips are pictures too: a plane of them may be a pixel high.
func TestStripsAreLookedAt(t *testing.T) {
	_, flag := drawing(t, 1)
	for _, size := range [][2]int{{1, 1}, {640, 1}, {640, 11}, {15, 640}, {3, 2}, {640, 17}} {
		pix := make([]byte, size[0]*size[1])
		for i := range pix {
			pix[i] = byte(i * 37)
		}
		plane := keypoint.NewPlane(size[0], size[1], pix)
		f := keypoint.Extract(size[0], size[1], pix, keypoint.FlagPoints)
		f.Frame = plane.Frame()
		g := keypoint.Guide(f, plane, keypoint.Verify(f, keypoint.Prepare(f)))
		require.LessOrEqual(t, g.Similar, 1.0)
		keypoint.Guide(flag, plane, keypoint.Verify(flag, keypoint.Prepare(f)))
		plane.Close()
	}
}

// The coarse differences of a copy are the flag's, wherever it is shown; those of another picture are not.
func TestCompareFrame(t *testing.T) {
	p, flag := drawing(t, 1)
	for _, e := range transforms.Quality() {
		switch e.Name {
		case "jpeg-8", "grey", "gamma-0.6", "mirror", "quarter-turn", "negative", "rotated-25", "crop-50", "picture-in-picture-40", "pixelated":
			file, err := e.Apply(p, synth.Draw(1, 9, 640, 480), 1)
			require.NoError(t, err)
			c := guidedTo(t, flag, file).Compared
			require.Greater(t, c.Pairs, 200, e.Name)
			require.Greater(t, c.Same, 0.8, e.Name)
			require.Greater(t, c.Alike, 0.75, e.Name)
			require.Less(t, c.Vanished, 0.1, e.Name)
			require.Less(t, c.Appeared, 0.3, e.Name)
			if e.Name != "crop-50" {
				require.Less(t, c.PDQ, 70, e.Name)
			}
		}
	}
	moved := image.NewRGBA(p.Rect) // a little of it is not shown
	draw.Draw(moved, p.Rect, p, image.Pt(8, 6), draw.Src)
	file, err := transforms.Encode(moved, transforms.JPEG, 92)
	require.NoError(t, err)
	c := guidedTo(t, flag, file).Compared
	require.GreaterOrEqual(t, c.PDQ, 0)
	require.Less(t, c.PDQ, 40)
	require.Greater(t, c.Same, 0.9)

	file, err = transforms.Encode(synth.Draw(1, 7, 640, 480), transforms.JPEG, 92)
	require.NoError(t, err)
	other := guidedTo(t, flag, file).Compared
	require.Less(t, other.Same, 0.5)
	require.Less(t, other.Alike, 0.5)

	var stored keypoint.Features
	data, err := flag.MarshalBinary()
	require.NoError(t, err)
	require.NoError(t, stored.UnmarshalBinary(data))
	require.Equal(t, flag.Frame, stored.Frame)
}
