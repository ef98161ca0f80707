package keypoint_test

import (
	"image"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/imaging"
	"moderator/internal/keypoint"
	"moderator/internal/synth"
	"moderator/internal/transforms"
)

// points are those of a file.
func points(t testing.TB, file []byte, flagged bool) keypoint.Features {
	t.Helper()
	result, err := imaging.Decode(file, imaging.Request{Gray: true, Limits: imaging.DefaultLimits()})
	require.NoError(t, err)
	w, h := keypoint.Size(result.Width, result.Height)
	g, err := result.Frames[0].Views[0].Gray.Resized(w, h)
	require.NoError(t, err)
	most := keypoint.UploadPoints
	if flagged {
		most = keypoint.FlagPoints
	}
	return keypoint.Extract(g.Width, g.Height, g.Pix, most)
}

func drawing(t testing.TB, i int) (*image.RGBA, keypoint.Features) {
	t.Helper()
	p := synth.Draw(1, i, 640, 480)
	file, err := transforms.Encode(p, transforms.JPEG, 92)
	require.NoError(t, err)
	flag := points(t, file, true)
	plane := planeOf(t, file)
	defer plane.Close()
	flag.Frame = plane.Frame()
	return p, flag
}

func edited(t testing.TB, name string, p, other *image.RGBA) keypoint.Features {
	t.Helper()
	for _, e := range transforms.Quality() {
		if e.Name == name {
			file, err := e.Apply(p, other, 1)
			require.NoError(t, err)
			return points(t, file, false)
		}
	}
	require.Fail(t, "no edit "+name)
	return keypoint.Features{}
}

// What no vector and no hash of the whole picture finds, and other pictures edited the same.
func TestVerify(t *testing.T) {
	const pictures = 8
	type drawnPicture struct {
		picture *image.RGBA
		points  keypoint.Features
	}
	all := make([]drawnPicture, 2*pictures)
	for i := range all {
		all[i].picture, all[i].points = drawing(t, i)
	}
	for name, want := range map[string]keypoint.Variant{
		"crop-75-corner": keypoint.Plain, "caption-bar": keypoint.Plain, "rotated-25": keypoint.Plain, "quarter-turn": keypoint.Plain,
		"mirror": keypoint.Mirrored, "negative": keypoint.Negative, "side-by-side": keypoint.Plain,
		"picture-in-picture-40": keypoint.Plain, "phone-screenshot": keypoint.Plain,
	} {
		t.Run(name, func(t *testing.T) {
			found, asked := 0, 0
			for i := range pictures {
				flag, stranger := all[i].points, all[i+pictures].points
				upload := keypoint.Prepare(edited(t, name, all[i].picture, all[i+pictures].picture))
				if name != "side-by-side" && name != "picture-in-picture-40" {
					require.Less(t, keypoint.Verify(stranger, upload).Score(), keypoint.ReviewAt, "picture %d, taken for another", i)
				}
				if len(flag.Points) < keypoint.FlagPoints/2 {
					continue // a plain drawing
				}
				asked++
				a := keypoint.Verify(flag, upload)
				if a.Score() >= keypoint.BlockAt {
					found++
					require.Equal(t, want, a.Variant)
				}
			}
			t.Logf("%d of %d found", found, asked)
			require.GreaterOrEqual(t, asked, pictures/2)
			require.GreaterOrEqual(t, found, asked*3/4)
		})
	}
}

// A third of a picture is hidden behind squares, whose edges spoil the coarse points: the fine ones between are left.
func TestVerifyBehindAPattern(t *testing.T) {
	for i := range 4 {
		p, flag := drawing(t, i)
		_, stranger := drawing(t, i+8)
		upload := keypoint.Prepare(edited(t, "checkerboard-35", p, p))
		require.Zero(t, keypoint.Verify(stranger, upload).Score())
		if len(flag.Points) == keypoint.FlagPoints {
			require.GreaterOrEqual(t, keypoint.Verify(flag, upload).Points, 2*keypoint.LeastPoints, "picture %d", i)
		}
	}
}

func TestStoredForm(t *testing.T) {
	p, flag := drawing(t, 1)
	stored, err := flag.MarshalBinary()
	require.NoError(t, err)
	var back keypoint.Features
	require.NoError(t, back.UnmarshalBinary(stored))
	require.Equal(t, len(flag.Points), len(back.Points))
	require.InEpsilon(t, flag.Finest, back.Finest, 0.02)
	for i, p := range flag.Points {
		require.Equal(t, p.Bits, back.Points[i].Bits)
		require.InDelta(t, p.X, back.Points[i].X, 0.01)
		require.InDelta(t, p.Y, back.Points[i].Y, 0.01)
		require.InEpsilon(t, p.Scale, back.Points[i].Scale, 0.02)
	}
	again, err := back.MarshalBinary()
	require.NoError(t, err)
	require.Equal(t, stored, again)

	upload := keypoint.Prepare(edited(t, "crop-80-centre", p, p))
	require.GreaterOrEqual(t, keypoint.Verify(back, upload).Score(), keypoint.BlockAt)
	// A list may have any size: a map from a picture without a width would be infinite, and a very large one takes much memory.
	sized := func(size ...byte) []byte { return slices.Concat(stored[:1], size, stored[5:]) }
	require.NoError(t, back.UnmarshalBinary(sized(0x40, 1, 1, 0)))
	for _, bad := range [][]byte{
		nil, stored[:len(stored)-1], append([]byte{9}, stored[1:]...), sized(0, 0, 0x40, 1), sized(0x40, 1, 0, 0), sized(0x41, 1, 240, 0), sized(0x80, 2, 240, 0),
	} {
		require.Error(t, back.UnmarshalBinary(bad))
	}
	_, err = back.UnmarshalStart(stored[:keypoint.StoredSize(7)])
	require.NoError(t, err)
	require.Len(t, back.Points, 7)
	_, err = back.UnmarshalStart(stored[:keypoint.StoredSize(7)-1])
	require.Error(t, err)
}

func TestNothingToSee(t *testing.T) {
	flat := keypoint.Extract(320, 10, make([]byte, 3200), keypoint.FlagPoints)
	require.Empty(t, flat.Points)
	require.Zero(t, keypoint.Verify(flat, keypoint.Prepare(flat)).Score())
}

func TestSize(t *testing.T) {
	for _, c := range [][4]int{{640, 480, 640, 480}, {3000, 4000, 480, 640}, {240, 180, 480, 360}, {128, 96, 320, 240}, {9000, 2, 640, 1}} {
		w, h := keypoint.Size(c[0], c[1])
		require.Equal(t, [2]int{c[2], c[3]}, [2]int{w, h})
	}
}
