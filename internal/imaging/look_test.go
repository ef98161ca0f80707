package imaging

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/image/tiff"
)

// over draws a picture on a background of one colour.
func on(page color.Color, im image.Image) []byte {
	out := pixelsOf(im)
	for i := range len(out) / 3 {
		c := color.NRGBA64Model.Convert(im.At(i%im.Bounds().Dx(), i/im.Bounds().Dx())).(color.NRGBA64)
		p := color.RGBA64Model.Convert(page).(color.RGBA64)
		for band, v := range [][2]uint16{{c.R, p.R}, {c.G, p.G}, {c.B, p.B}} {
			out[3*i+band] = uint8((float64(v[0])*float64(c.A)/65535 + float64(v[1])*(1-float64(c.A)/65535)) / 257)
		}
	}
	return out
}

// seeThrough is a drawing whose alpha is another picture.
func seeThrough(w, h int) *image.NRGBA {
	im := converted(drawing(w, h), image.NewNRGBA(image.Rect(0, 0, w, h))).(*image.NRGBA)
	for i := range w * h {
		im.Pix[4*i+3] = uint8(50 + (i%w/8+i/w/8)%2*150)
	}
	return im
}

func TestAlphaIsJudgedOnBothPages(t *testing.T) {
	const w, h = 64, 48
	im := seeThrough(w, h)
	binary := converted(im, image.NewPaletted(im.Rect, color.Palette{color.NRGBA{}, color.NRGBA{200, 60, 20, 255}})).(*image.Paletted)
	for i := range binary.Pix {
		binary.Pix[i] = uint8(i / 5 % 2)
	}
	grey := image.NewNRGBA(im.Rect)
	for i := range w * h {
		v := im.Pix[4*i]
		copy(grey.Pix[4*i:], []byte{v, v, v, im.Pix[4*i+3]})
	}
	var asTIFF, asGIF bytes.Buffer
	require.NoError(t, tiff.Encode(&asTIFF, im, nil))
	require.NoError(t, gif.Encode(&asGIF, binary, nil))
	for name, c := range map[string]struct {
		im   image.Image
		file []byte
	}{
		"png":         {im, encodePNG(t, im)},
		"png 16":      {im, encodePNG(t, converted(im, image.NewNRGBA64(im.Rect)))},
		"png palette": {binary, encodePNG(t, binary)},
		"png grey":    {grey, greyAlphaPNG(t, grey)},
		"tiff":        {im, asTIFF.Bytes()},
		"gif":         {binary, asGIF.Bytes()},
		"apng":        {im, makeAPNG(t, w, h, nil, madeFrame{im: im})},
	} {
		t.Run(name, func(t *testing.T) {
			got := renderings(t, c.file, Limits{})
			require.Len(t, got, 2)
			require.Less(t, meanDifference(got[0], on(color.White, c.im)), 1.0)
			require.Less(t, meanDifference(got[1], on(color.Black, c.im)), 1.0)
		})
	}
	for _, file := range []string{"alpha.webp", "alpha.avif"} {
		got := renderings(t, readFile(t, "testdata/"+file), Limits{})
		require.Len(t, got, 2, file)
		corner := 3 * (64*48 - 1)
		require.Equal(t, []byte{255, 255, 255}, got[0][corner:], file)
		require.Equal(t, []byte{0, 0, 0}, got[1][corner:], file)
		require.Less(t, meanDifference(got[0][:3*20], got[1][:3*20]), 1.0, file)
	}
}

// greyAlphaPNG returns a PNG of 8-bit grey and alpha.
func greyAlphaPNG(tb testing.TB, im *image.NRGBA) []byte {
	w, h := im.Rect.Dx(), im.Rect.Dy()
	var rows []byte
	for i := range w * h {
		if i%w == 0 {
			rows = append(rows, 0)
		}
		rows = append(rows, im.Pix[4*i], im.Pix[4*i+3])
	}
	return pngOfRows(tb, w, h, 8, 4, rows)
}

// Shrinking averages premultiplied colours, so that those of transparent pixels do not bleed.
func TestAlphaIsAveraged(t *testing.T) {
	im := image.NewNRGBA(image.Rect(0, 0, 512, 512))
	for i := range 512 * 512 {
		c := color.NRGBA{0, 0, 0, 0}
		if (i+i/512)%2 == 0 {
			c = color.NRGBA{200, 100, 0, 255}
		}
		im.SetNRGBA(i%512, i/512, c)
	}
	res := decode(t, encodePNG(t, im), Request{Targets: []Target{whole(16, 16)}})
	require.Len(t, res.Frames, 2)
	require.InDeltaSlice(t, []int{227, 177, 127}, res.Frames[0].Views[0].Pixels[0][:3], 2)
	require.InDeltaSlice(t, []int{100, 50, 0}, res.Frames[1].Views[0].Pixels[0][:3], 2)
}

// A few pixels that are nearly opaque add no second background.
func TestNearlyOpaque(t *testing.T) {
	im := seeThrough(64, 48)
	for i := range 64 * 48 {
		im.Pix[4*i+3] = 255
	}
	require.Len(t, renderings(t, encodePNG(t, im), Limits{}), 1)
	im.Pix[3] = 0
	require.Len(t, renderings(t, encodePNG(t, im), Limits{}), 1)
	for i := range 64 {
		im.Pix[4*i+3] = 0
	}
	require.Len(t, renderings(t, encodePNG(t, im), Limits{}), 2)
}
