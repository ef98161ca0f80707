package imaging

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// colourful returns a picture of soft and strong colours, in which a shift of half a pixel shows.
func colourful(w, h int) *image.RGBA {
	im := image.NewRGBA(image.Rect(0, 0, w, h))
	wave := func(v float64) uint8 { return uint8(128 + 100*math.Sin(v)) }
	for y := range h {
		for x := range w {
			im.SetRGBA(x, y, color.RGBA{wave(float64(x) / 5), wave(float64(y) / 6), wave(float64(x+y) / 7), 255})
		}
	}
	return im
}

// bothWays decodes a JPEG to separate luma and chroma, and to RGB.
func bothWays(t *testing.T, file []byte, shrink int) (apart, rgb *canvas) {
	t.Helper()
	outline := outlineJPEG(file)
	w, h := outline.width/shrink, outline.height/shrink
	apart, err := decodeJPEG(file, shrink, 1, w, h)
	require.NoError(t, err)
	rgb, err = decodeJPEG(file, shrink, 0, w, h)
	require.NoError(t, err)
	require.False(t, rgb.apart())
	return apart, rgb
}

func requireNear(t *testing.T, want, got [3]byte, by int, where ...any) {
	t.Helper()
	for band := range want {
		require.LessOrEqual(t, max(want[band], got[band])-min(want[band], got[band]), uint8(by), fmt.Sprint(want, got, where))
	}
}

func TestSeparateComponentsEqualTheFiles(t *testing.T) {
	for factors, apart := range map[[3]int]bool{
		{0x11, 0x11, 0x11}: true,
		{0x21, 0x11, 0x11}: true,
		{0x12, 0x11, 0x11}: true,
		{0x22, 0x11, 0x11}: true,
		{0x22, 0x21, 0x21}: true,
		{0x21, 0x21, 0x21}: true,
		{0x22, 0x21, 0x12}: false,
		{0x11, 0x22, 0x11}: false,
		{0x41, 0x11, 0x11}: false, // rows of blocks are wider than the buffer
	} {
		for _, size := range [][2]int{{8, 90}, {131, 77}, {64, 48}} {
			file := randomJPEG(3, size[0], size[1], 5, factors[:])
			c, _ := bothWays(t, file, 1)
			require.Equal(t, apart, c.apart(), "%x", factors)
			if !apart {
				continue
			}
			if im, err := jpeg.Decode(bytes.NewReader(file)); err == nil {
				requirePlanes(t, im.(*image.YCbCr), c)
			}
			c.release()
			for _, shrink := range []int{1, 2, 4, 8} {
				c, rgb := bothWays(t, file, shrink)
				if c.chroma.across*c.chroma.down > 1 {
					continue
				}
				for y := range c.height {
					for x := range c.width {
						requireNear(t, rgb.at(x, y), c.at(x, y), 2, factors, size, shrink, x, y)
					}
				}
			}
		}
	}
}

// requirePlanes compares with another decoder. It rounds cosines differently, and clips samples far out of range differently,
// which random coefficients produce.
func requirePlanes(t *testing.T, want *image.YCbCr, c *canvas) {
	t.Helper()
	off := 0
	for y := range c.height {
		for x := range c.width {
			of := y/c.chroma.down*c.chroma.width + x/c.chroma.across
			got := [3]byte{c.pixels.pix[y*c.pixels.width+x], c.chroma.pix[of], c.chroma.pix[of+c.chroma.next]}
			wanted := [3]byte{want.Y[want.YOffset(x, y)], want.Cb[want.COffset(x, y)], want.Cr[want.COffset(x, y)]}
			for band := range got {
				if max(got[band], wanted[band])-min(got[band], wanted[band]) > 3 {
					off++
				}
			}
		}
	}
	require.Less(t, off, 3*c.width*c.height/100, want.SubsampleRatio)
}

func TestSeparateComponentsLookTheSame(t *testing.T) {
	file := encodeJPEG(t, colourful(331, 247))
	for _, shrink := range []int{1, 2} {
		apart, rgb := bothWays(t, file, shrink)
		require.True(t, apart.apart())
		w, h := apart.width, apart.height
		for _, part := range []rect{{0, 0, w, h}, {0, 0, w - 1, h - 1}, {1, 1, w - 1, h - 1}, {7, 4, 100, 77}, {30, 31, 41, 40}, {w - 33, h - 20, 33, 20}} {
			for _, kernel := range []Kernel{KernelCubic, KernelLinear, KernelLanczos3} {
				crop := rect{3, 5, 40, 31}
				got, err := apart.resampled(part, 47, 43, kernel, crop, make([]byte, 40*31*3))
				require.NoError(t, err)
				want, err := rgb.resampled(part, 47, 43, kernel, crop, make([]byte, 40*31*3))
				require.NoError(t, err)
				require.Less(t, meanDifference(got.pix, want.pix), 1.5, "by %d: %+v %s", shrink, part, kernel)
			}
		}
		luma := rgb.luma()
		for y := range h {
			for x := range w {
				require.InDelta(t, luma.pix[y*luma.width+x], apart.luma().pix[y*apart.luma().width+x], 3)
			}
		}
	}
}

func TestSeparateComponentsHaveTheSameBorders(t *testing.T) {
	for _, side := range []int{30, 31} {
		for _, c := range []color.Color{color.White, color.Black, color.RGBA{200, 30, 60, 255}} {
			apart, rgb := bothWays(t, encodeJPEG(t, framed(textured(200, 150), side, 20, side+5, 21, c)), 1)
			want, ok := trim(rgb)
			require.True(t, ok)
			got, ok := trim(apart)
			require.True(t, ok)
			for i, edge := range edges(want) {
				require.InDelta(t, edge, edges(got)[i], 1, "%v %v", side, c)
			}
		}
	}
	apart, _ := bothWays(t, encodeJPEG(t, textured(200, 150)), 1)
	_, ok := trim(apart)
	require.False(t, ok)
}

// Components stay separate if the picture is upright and its chroma need not be enlarged.
func TestWhenComponentsStaySeparate(t *testing.T) {
	require.NoError(t, Start())
	photo := encodeJPEG(t, colourful(400, 300))
	gray := image.NewGray(image.Rect(0, 0, 400, 300))
	for name, c := range map[string]struct {
		file []byte
		edge int
		want bool
	}{
		"chroma of 150":      {photo, 150, true},
		"chroma is too few":  {photo, 151, false},
		"gray":               {encodeJPEG(t, gray), 128, false},
		"turned by a viewer": {withOrientation(photo, 6), 128, false},
		"upright by itself":  {withOrientation(photo, 1), 128, true},
	} {
		src, err := openSource(c.file, DefaultLimits(), 384)
		require.NoError(t, err)
		require.NoError(t, src.canvases([]int{0}, 384, c.edge, func(_ int, canvas *canvas) error {
			require.Equal(t, c.want, canvas.apart(), name)
			return nil
		}), name)
		src.close()
	}
}

func TestColours(t *testing.T) {
	var y, cb, cr []byte
	for i := range 32 * 32 * 32 {
		y, cb, cr = append(y, byte(i>>10*8)), append(cb, byte(i>>5%32*8+7)), append(cr, byte(i%32*8+1))
	}
	for _, n := range []int{1, 7, 8, 9, len(y)} {
		rgb := make([]byte, 3*n)
		toRGB(y[:n], cb[:n], cr[:n], rgb)
		for i := range n {
			r, g, b := color.YCbCrToRGB(y[i], cb[i], cr[i])
			requireNear(t, [3]byte{r, g, b}, [3]byte(rgb[3*i:]), 1, y[i], cb[i], cr[i])
		}
	}
}

// A file that is truncated after the last needed line decodes in both ways.
func TestTruncationAfterTheLastNeededLine(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	im := image.NewRGBA(image.Rect(0, 0, 64, 65))
	for i := range im.Pix {
		im.Pix[i] = uint8(r.Uint32())
	}
	file := encodeJPEG(t, im)
	apart, rgb := bothWays(t, file[:len(file)-100], 8)
	require.True(t, apart.apart())
	require.Equal(t, rgb.height, apart.height)
}
