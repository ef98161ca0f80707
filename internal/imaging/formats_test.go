package imaging

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// whole returns a target of w x h without a crop.
func whole(w, h int) Target { return Target{ResizeWidth: w, ResizeHeight: h} }

// drawing is soft enough for any coding, and different in each orientation: red increases to the right, green downwards, and
// the first quarter is blue.
func drawing(w, h int) *image.RGBA {
	im := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.RGBA{uint8(40 + x*160/w), uint8(40 + y*160/h), 0, 255}
			if x < w/2 && y < h/2 {
				c.B = 200
			}
			im.SetRGBA(x, y, c)
		}
	}
	return im
}

func encodePNG(tb testing.TB, im image.Image) []byte {
	var buf bytes.Buffer
	require.NoError(tb, png.Encode(&buf, im))
	return buf.Bytes()
}

func encodeJPEG(tb testing.TB, im image.Image) []byte {
	var buf bytes.Buffer
	require.NoError(tb, jpeg.Encode(&buf, im, &jpeg.Options{Quality: 95}))
	return buf.Bytes()
}

func converted(im image.Image, to draw.Image) image.Image {
	draw.Draw(to, to.Bounds(), im, im.Bounds().Min, draw.Src)
	return to
}

func TestPixelModes(t *testing.T) {
	const w, h = 64, 48
	im, r := drawing(w, h), image.Rect(0, 0, w, h)
	var palette color.Palette
	for i := range 216 {
		palette = append(palette, color.RGBA{uint8(i / 36 * 51), uint8(i / 6 % 6 * 51), uint8(i % 6 * 51), 255})
	}
	modes := map[string]image.Image{
		"RGB": im, "RGB16": converted(im, image.NewRGBA64(r)), "grey": converted(im, image.NewGray(r)),
		"grey16": converted(im, image.NewGray16(r)), "palette": converted(im, image.NewPaletted(r, palette)),
	}
	for name, mode := range modes {
		encodings := map[string]func(*bytes.Buffer) error{
			"png":  func(b *bytes.Buffer) error { return png.Encode(b, mode) },
			"tiff": func(b *bytes.Buffer) error { return tiff.Encode(b, mode, &tiff.Options{Compression: tiff.Deflate}) },
		}
		if name == "RGB" || name == "palette" || name == "grey" {
			encodings["bmp"] = func(b *bytes.Buffer) error { return bmp.Encode(b, mode) }
		}
		for format, encode := range encodings {
			t.Run(name+" "+format, func(t *testing.T) {
				var buf bytes.Buffer
				require.NoError(t, encode(&buf))
				res := decode(t, buf.Bytes(), Request{Targets: []Target{whole(w, h)}})
				require.Equal(t, format, res.Format)
				require.Equal(t, []int{w, h, 1}, []int{res.Width, res.Height, res.FrameCount})
				require.Less(t, meanDifference(res.Frames[0].Views[0].Pixels[0], pixelsOf(mode)), 0.51)
			})
		}
	}
}

// fixture is the drawing of the files in testdata, which has a smaller blue corner.
func fixture() *image.RGBA {
	im := drawing(64, 48)
	for x := range 64 {
		for y := range 48 {
			c := im.RGBAAt(x, y)
			c.B = 0
			if x < 16 && y < 12 {
				c.B = 220
			}
			im.SetRGBA(x, y, c)
		}
	}
	return im
}

func TestCodecs(t *testing.T) {
	want := fixture()
	for file, format := range map[string]string{
		"still.avif": "avif", "still.heic": "heic", "still.webp": "webp", "progressive.jpg": "jpeg",
	} {
		t.Run(file, func(t *testing.T) {
			res := decode(t, readFile(t, filepath.Join("testdata", file)), Request{Targets: []Target{whole(64, 48)}})
			require.Equal(t, format, res.Format)
			require.Less(t, meanDifference(res.Frames[0].Views[0].Pixels[0], pixelsOf(want)), 6.0)
		})
	}
}

func TestAlphaOverWhite(t *testing.T) {
	im := image.NewNRGBA(image.Rect(0, 0, 8, 8))
	draw.Draw(im, im.Rect, image.NewUniform(color.NRGBA{200, 0, 100, 128}), image.Point{}, draw.Src)
	deep := converted(im, image.NewNRGBA64(im.Rect))
	for _, file := range [][]byte{encodePNG(t, im), encodePNG(t, deep)} {
		got := decode(t, file, Request{Targets: []Target{whole(8, 8)}}).Frames[0].Views[0].Pixels[0]
		require.InDeltaSlice(t, []float64{227, 127, 177}, []float64{float64(got[0]), float64(got[1]), float64(got[2])}, 1.01)
	}
}

func TestEXIFOrientations(t *testing.T) {
	// The sides are multiples of JPEG's 16, so that partial blocks at the edges do not matter.
	want := drawing(96, 64)
	upright := plane{pixelsOf(want), 96, 64, 3}
	undo := map[orientation]orientation{6: 8, 8: 6}
	for o := orientation(1); o <= 8; o++ {
		inverse := o
		if u, ok := undo[o]; ok {
			inverse = u
		}
		stored := upright.turned(inverse)
		im := image.NewRGBA(image.Rect(0, 0, stored.width, stored.height))
		for i := range stored.width * stored.height {
			copy(im.Pix[4*i:], append(stored.pix[3*i:3*i+3:3*i+3], 255))
		}
		file := encodeJPEG(t, im)
		if o != 1 {
			file = withOrientation(file, uint16(o))
		}
		res := decode(t, file, Request{Targets: []Target{whole(96, 64)}})
		require.Equal(t, []int{96, 64}, []int{res.Width, res.Height}, "orientation %d", o)
		require.Less(t, meanDifference(res.Frames[0].Views[0].Pixels[0], upright.pix), 2.5, "orientation %d", o)
	}
}

// withOrientation inserts an Exif segment with this tag after a JPEG's first marker.
func withOrientation(file []byte, o uint16) []byte {
	exif := []byte("Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01")
	exif = binary.BigEndian.AppendUint16(exif, o)
	exif = append(exif, 0, 0, 0, 0, 0, 0)
	segment := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(exif)+2))
	return append(append(file[:2:2], append(segment, exif...)...), file[2:]...)
}

func TestAnimations(t *testing.T) {
	t.Run("gif", func(t *testing.T) {
		file := animatedGIF(t, 30, 20, 100)
		res := decode(t, file, Request{Targets: []Target{whole(30, 20)}, Limits: Limits{MaxFrames: 4}})
		require.Equal(t, 100, res.FrameCount)
		require.Len(t, res.Frames, 4)
		for i, index := range []int{0, 33, 66, 99} {
			frame := res.Frames[i]
			require.Equal(t, index, frame.Index)
			require.EqualValues(t, index, frame.Views[0].Pixels[0][0], "frame %d shows its own grey", index)
		}
		res = decode(t, file, Request{Limits: Limits{MaxFrames: 1}})
		require.Len(t, res.Frames, 1)
	})
	t.Run("webp", func(t *testing.T) {
		file := readFile(t, "testdata/animated.webp")
		res := decode(t, file, Request{Targets: []Target{whole(32, 24)}, Limits: Limits{MaxFrames: 3}})
		require.Equal(t, []int{32, 24, 5}, []int{res.Width, res.Height, res.FrameCount})
		for i, index := range []int{0, 2, 4} {
			require.Equal(t, index, res.Frames[i].Index)
			pix := res.Frames[i].Views[0].Pixels[0]
			require.EqualValues(t, index*50, pix[len(pix)-1], "the last pixel's blue tells the frame")
		}
	})
}

// animatedGIF returns n plain frames. The grey of each is its index.
func animatedGIF(tb testing.TB, w, h, n int) []byte {
	var palette color.Palette
	for i := range 256 {
		palette = append(palette, color.Gray{uint8(i)})
	}
	g := &gif.GIF{}
	for i := range n {
		frame := image.NewPaletted(image.Rect(0, 0, w, h), palette)
		for p := range frame.Pix {
			frame.Pix[p] = uint8(i)
		}
		g.Image, g.Delay = append(g.Image, frame), append(g.Delay, 5)
	}
	var buf bytes.Buffer
	require.NoError(tb, gif.EncodeAll(&buf, g))
	return buf.Bytes()
}

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		n, limit int
		want     []int
	}{{1, 8, []int{0}}, {3, 8, []int{0, 1, 2}}, {100, 1, []int{0}}, {5, 2, []int{0, 4}}, {10, 4, []int{0, 3, 6, 9}}} {
		require.Equal(t, c.want, spread(c.n, c.limit), fmt.Sprint(c.n, " frames, ", c.limit))
	}
}

// A line is a picture, too: no intermediate size overflows or takes much memory.
func TestExtremeAspects(t *testing.T) {
	for _, size := range [][2]int{{10_000, 1}, {1, 10_000}, {maxSide, 1}, {1, 1}} {
		line := image.NewGray(image.Rect(0, 0, size[0], size[1]))
		res := decode(t, encodePNG(t, line), Request{Targets: []Target{clip, whole(96, 64)}, Views: allViews, Gray: true})
		for _, v := range res.Frames[0].Views {
			require.Len(t, v.Pixels[0], 224*224*3)
			require.LessOrEqual(t, v.Gray.Width*v.Gray.Height, MaxGray)
		}
	}
}
