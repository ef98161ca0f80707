package imaging

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// textured returns a picture without a uniform line.
func textured(w, h int) *image.RGBA {
	noise := rand.New(rand.NewPCG(3, 4))
	im := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			v := 120 + 80*math.Sin(float64(x)/9)*math.Cos(float64(y)/7) + 20*noise.Float64()
			im.SetRGBA(x, y, color.RGBA{uint8(v), uint8(v / 2), uint8(255 - v), 255})
		}
	}
	return im
}

// framed draws a picture on a background of one colour.
func framed(im image.Image, left, top, right, bottom int, c color.Color) *image.RGBA {
	b := im.Bounds()
	sheet := image.NewRGBA(image.Rect(0, 0, left+b.Dx()+right, top+b.Dy()+bottom))
	draw.Draw(sheet, sheet.Rect, image.NewUniform(c), image.Point{}, draw.Src)
	draw.Draw(sheet, image.Rect(left, top, left+b.Dx(), top+b.Dy()), im, b.Min, draw.Src)
	return sheet
}

func canvasOf(im image.Image) *canvas {
	w, h := im.Bounds().Dx(), im.Bounds().Dy()
	return &canvas{pixels: plane{pixelsOf(im), w, h, 3}, width: w, height: h, fullWidth: w, fullHeight: h}
}

func TestTrimFindsThePicture(t *testing.T) {
	photo := textured(200, 150)
	red := color.RGBA{200, 30, 60, 255}
	for name, c := range map[string]struct {
		im   image.Image
		want rect
	}{
		"frame":             {framed(photo, 30, 20, 30, 20, color.White), rect{30, 20, 200, 150}},
		"coloured frame":    {framed(photo, 30, 20, 30, 20, red), rect{30, 20, 200, 150}},
		"letterbox":         {framed(photo, 0, 40, 0, 40, color.Black), rect{0, 40, 200, 150}},
		"pillars":           {framed(photo, 50, 0, 50, 0, color.Black), rect{50, 0, 200, 150}},
		"one bar":           {framed(photo, 0, 0, 0, 60, color.White), rect{0, 0, 200, 150}},
		"letterbox, framed": {framed(framed(photo, 0, 40, 0, 40, color.Black), 20, 20, 20, 20, color.White), rect{20, 60, 200, 150}},
		"two colours":       {framed(framed(photo, 0, 40, 0, 0, color.Black), 0, 0, 0, 40, color.White), rect{0, 40, 200, 150}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, quality := range []int{0, 90, 50, 30} {
				im := c.im
				if quality > 0 {
					var buf bytes.Buffer
					require.NoError(t, jpeg.Encode(&buf, im, &jpeg.Options{Quality: quality}))
					var err error
					im, err = jpeg.Decode(&buf)
					require.NoError(t, err)
				}
				got, ok := trim(canvasOf(im))
				require.True(t, ok, "quality %d", quality)
				// Ringing reaches across a JPEG block, 16 pixels for chroma.
				require.InDeltaSlice(t, edges(c.want), edges(got), 18, "quality %d: %v, want %v", quality, got, c.want)
			}
		})
	}
}

func edges(r rect) []float64 {
	return []float64{float64(r.left), float64(r.top), float64(r.left + r.width), float64(r.top + r.height)}
}

func TestTrimLeavesAlone(t *testing.T) {
	photo := textured(200, 150)
	for name, im := range map[string]image.Image{
		"no border":      photo,
		"blank":          image.NewUniform(color.White),
		"thin line":      framed(photo, 1, 1, 1, 1, color.Black),
		"logo on a page": framed(textured(60, 60), 150, 150, 150, 150, color.White),
		"gradient":       drawing(200, 150),
	} {
		t.Run(name, func(t *testing.T) {
			if name == "blank" {
				im = framed(photo.SubImage(image.Rectangle{}), 100, 100, 100, 100, color.White)
			}
			_, ok := trim(canvasOf(im))
			require.False(t, ok)
		})
	}
}

func TestTrimmedView(t *testing.T) {
	photo := textured(400, 400)
	req := Request{Targets: []Target{clip}, Views: []View{ViewOriginal, ViewTrimmed}, Gray: true}
	want := decode(t, encodePNG(t, photo), req).Frames[0].Views
	require.Len(t, want, 1, "nothing to trim: no view")

	got := decode(t, encodePNG(t, framed(photo, 120, 60, 120, 60, color.Black)), req).Frames[0].Views
	require.Len(t, got, 2)
	require.Equal(t, ViewTrimmed, got[1].View)
	require.Less(t, meanDifference(got[1].Pixels[0], want[0].Pixels[0]), 8.0)
	require.NotNil(t, got[1].Gray)
}

// A letterboxed picture that decoding shrank is decoded again instead of being enlarged.
func TestTrimmedViewIsSharp(t *testing.T) {
	file := encodeJPEG(t, framed(textured(1000, 400), 0, 800, 0, 800, color.Black))
	req := Request{Targets: []Target{clip}, Views: []View{ViewTrimmed}}
	require.NoError(t, req.complete())
	src, err := openSource(file, req.Limits, req.need())
	require.NoError(t, err)
	defer src.close()
	require.NoError(t, src.canvases([]int{0}, req.need(), req.edge(), func(_ int, c *canvas) error {
		part, ok := trim(c)
		require.True(t, ok)
		require.Less(t, part.height, 224, "the case that this test is about")
		return nil
	}))
	sharp := decode(t, file, req).Frames[0].Views[0].Pixels[0]
	want := decode(t, encodePNG(t, textured(1000, 400)), Request{Targets: []Target{clip}}).Frames[0].Views[0].Pixels[0]
	require.Less(t, meanDifference(sharp, want), 10.0)
}
