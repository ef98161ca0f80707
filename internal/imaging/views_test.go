package imaging

import (
	"image"
	"image/color"
	"testing"

	"github.com/stretchr/testify/require"
)

// at reads a pixel of an RGB output of width w.
func at(pix []byte, w, x, y int) [3]byte { return [3]byte(pix[(y*w+x)*3:]) }

func TestTurnsAreExact(t *testing.T) {
	const w, h = 60, 40
	im := drawing(w, h)
	views := []View{
		ViewOriginal, ViewFlipHorizontal, ViewRotate90, ViewRotate180, ViewRotate270,
		ViewFlipVertical, ViewTranspose, ViewTransverse,
	}
	res := decode(t, encodePNG(t, im), Request{Targets: []Target{whole(w, h), whole(h, w)}, Views: views, Gray: true})
	got := res.Frames[0].Views
	require.Len(t, got, len(views))
	for y := range h {
		for x := range w {
			c := im.RGBAAt(x, y)
			want := [3]byte{c.R, c.G, c.B}
			require.Equal(t, want, at(got[0].Pixels[0], w, x, y))
			require.Equal(t, want, at(got[1].Pixels[0], w, w-1-x, y))
			require.Equal(t, want, at(got[2].Pixels[1], h, h-1-y, x), "clockwise")
			require.Equal(t, want, at(got[3].Pixels[0], w, w-1-x, h-1-y))
			require.Equal(t, want, at(got[4].Pixels[1], h, y, w-1-x))
			require.Equal(t, want, at(got[5].Pixels[0], w, x, h-1-y))
			require.Equal(t, want, at(got[6].Pixels[1], h, y, x))
			require.Equal(t, want, at(got[7].Pixels[1], h, h-1-y, w-1-x))
		}
	}
	require.Equal(t, []int{w, h}, []int{got[0].Gray.Width, got[0].Gray.Height})
	require.Equal(t, []int{h, w}, []int{got[2].Gray.Width, got[2].Gray.Height})
	require.Equal(t, got[0].Gray.Pix[0], got[2].Gray.Pix[h-1])
}

// A turned view equals the decoded turned file, including the crop, with even and odd margins.
func TestTurnsAreThoseOfTheFile(t *testing.T) {
	for _, size := range [][2]int{{500, 300}, {301, 500}, {333, 337}} {
		upright := plane{pixelsOf(drawing(size[0], size[1])), size[0], size[1], 3}
		for _, v := range []View{
			ViewFlipHorizontal, ViewRotate90, ViewRotate180, ViewRotate270, ViewFlipVertical, ViewTranspose, ViewTransverse,
		} {
			turned := upright.turned(v.orientation())
			want := decode(t, encodePNG(t, turned.image()), Request{Targets: []Target{clip, whole(96, 64)}}).Frames[0].Views[0]
			got := decode(t, encodePNG(t, upright.image()), Request{Targets: []Target{clip, whole(96, 64)}, Views: []View{v}}).Frames[0].Views[0]
			for i := range want.Pixels {
				require.Less(t, meanDifference(got.Pixels[i], want.Pixels[i]), 0.05, "%s of %v", v, size)
			}
		}
	}
}

func (p plane) image() image.Image {
	im := image.NewRGBA(image.Rect(0, 0, p.width, p.height))
	for i := range p.width * p.height {
		im.Set(i%p.width, i/p.width, color.RGBA{p.pix[3*i], p.pix[3*i+1], p.pix[3*i+2], 255})
	}
	return im
}

func TestCropViews(t *testing.T) {
	c := &canvas{width: 101, height: 50, fullWidth: 404, fullHeight: 200}
	for v, want := range map[View]rect{
		ViewOriginal: {0, 0, 101, 50}, ViewRotate90: {0, 0, 101, 50}, ViewCenter70: {15, 7, 70, 35},
		ViewQuarterTL: {0, 0, 51, 25}, ViewQuarterTR: {50, 0, 51, 25},
		ViewQuarterBL: {0, 25, 51, 25}, ViewQuarterBR: {50, 25, 51, 25},
	} {
		r, ok := v.part(c)
		require.True(t, ok)
		require.Equal(t, want, r, "%s", v)
	}
	w, h := c.full(rect{0, 0, 51, 25})
	require.Equal(t, []int{204, 100}, []int{w, h})
}

// Quarters have enough pixels to fill the target, if the picture has them.
func TestQuarterIsSharp(t *testing.T) {
	im := image.NewGray(image.Rect(0, 0, 2000, 1500))
	for i := range im.Pix { // stripes that vanish at half the resolution
		im.Pix[i] = uint8(i % 2000 / 4 % 2 * 255)
	}
	file := encodeJPEG(t, im)
	got := decode(t, file, Request{Targets: []Target{clip}, Views: []View{ViewQuarterTL}}).Frames[0].Views[0].Pixels[0]
	require.Len(t, got, 224*224*3)
	src, err := openSource(file, DefaultLimits(), 2*224)
	require.NoError(t, err)
	defer src.close()
	require.NoError(t, src.canvases([]int{0}, 2*224, 0, func(_ int, c *canvas) error {
		part, _ := ViewQuarterTL.part(c)
		require.GreaterOrEqual(t, min(part.width, part.height), 224)
		return nil
	}))
}

func TestGeometry(t *testing.T) {
	for _, c := range []struct {
		target       Target
		w, h, rw, rh int
		crop         rect
	}{
		{clip, 640, 480, 298, 224, rect{37, 0, 224, 224}},
		{clip, 480, 641, 224, 299, rect{0, 38, 224, 224}}, // a margin of 37.5 rounds to the even 38
		{clip, 100, 100, 224, 224, rect{0, 0, 224, 224}},
		{clip, 225, 224, 225, 224, rect{0, 0, 224, 224}}, // 0.5 rounds to 0
		{Target{ResizeWidth: 384, ResizeHeight: 256}, 1000, 10, 384, 256, rect{0, 0, 384, 256}},
		{Target{ResizeWidth: 256, ResizeHeight: 256, CropWidth: 224, CropHeight: 192}, 9, 9, 256, 256, rect{16, 32, 224, 192}},
	} {
		rw, rh, crop := c.target.geometry(c.w, c.h)
		require.Equal(t, []int{c.rw, c.rh}, []int{rw, rh}, "%d x %d", c.w, c.h)
		require.Equal(t, c.crop, crop, "%d x %d", c.w, c.h)
	}
}

func TestGrayPlane(t *testing.T) {
	res := decode(t, encodePNG(t, drawing(60, 40)), Request{Gray: true})
	gray := res.Frames[0].Views[0].Gray
	require.Equal(t, []int{60, 40}, []int{gray.Width, gray.Height}, "small pictures stay as they are")
	c := drawing(60, 40).RGBAAt(59, 39)
	require.EqualValues(t, int(0.299*float64(c.R)+0.587*float64(c.G)+0.114*float64(c.B)+0.5), gray.Pix[60*40-1])

	for size, want := range map[[2]int][2]int{{3000, 2000}: {512, 512}, {600, 100}: {600, 100}} {
		res = decode(t, encodeJPEG(t, drawing(size[0], size[1])), Request{Gray: true, Views: []View{ViewOriginal, ViewRotate90}})
		upright, turned := res.Frames[0].Views[0].Gray, res.Frames[0].Views[1].Gray
		require.Equal(t, want, [2]int{upright.Width, upright.Height})
		require.Equal(t, want, [2]int{turned.Height, turned.Width})
	}
}
