package imaging

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"moderator/internal/testenv"

	"github.com/stretchr/testify/require"
)

// clip is the geometry of CLIP's preprocessing, with which the golden crops were made.
var clip = Target{ShortestEdge: 224, CropWidth: 224, CropHeight: 224, Kernel: KernelCubic}

// unlike are pictures whose reference must differ: Pillow clips 16-bit grey and ignores embedded profiles (CMYK, Adobe RGB).
var unlike = []string{"I16.png", "CMYK.jpg", "libvips/sample.jpg"}

func TestGoldenCrops(t *testing.T) {
	data := testenv.Data(t)
	var manifest map[string]struct{ Crop string }
	text, err := os.ReadFile(filepath.Join(data, "golden", "manifest.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &manifest))

	var all, large []float64
	for name, golden := range manifest {
		res := decode(t, readFile(t, filepath.Join(data, "photos", name)), Request{Targets: []Target{clip}})
		want, err := png.Decode(bytes.NewReader(readFile(t, filepath.Join(data, "golden", "preprocess", golden.Crop))))
		require.NoError(t, err)

		diff := meanDifference(res.Frames[0].Views[0].Pixels[0], pixelsOf(want))
		t.Logf("%7.3f  %dx%d %s", diff, res.Width, res.Height, name)
		all = append(all, diff)
		known := slices.ContainsFunc(unlike, func(suffix string) bool { return strings.HasSuffix(name, suffix) })
		if min(res.Width, res.Height) >= 224 && !known {
			large = append(large, diff)
		}
	}
	slices.Sort(all)
	median, worst := all[len(all)/2], slices.Max(large)
	fmt.Printf("golden: %d images, crop median %.3f, max %.3f\n", len(all), median, worst)
	require.LessOrEqual(t, median, 0.6)
	require.LessOrEqual(t, worst, 1.5)
}

// Without its profile, the picture in Adobe RGB is as close to its reference as the others.
func TestGoldenWithoutProfile(t *testing.T) {
	data := testenv.Data(t)
	want, err := png.Decode(bytes.NewReader(readFile(t, filepath.Join(data, "golden", "preprocess", "libvips__sample.jpg.png"))))
	require.NoError(t, err)
	file := readFile(t, filepath.Join(data, "photos", "libvips", "sample.jpg"))
	with := decode(t, file, Request{Targets: []Target{clip}}).Frames[0].Views[0].Pixels[0]
	file = bytes.Replace(file, []byte("ICC_PROFILE"), []byte("ICC_IGNORED"), 1)
	without := decode(t, file, Request{Targets: []Target{clip}}).Frames[0].Views[0].Pixels[0]
	require.Greater(t, meanDifference(with, pixelsOf(want)), 1.5)
	require.Less(t, meanDifference(without, pixelsOf(want)), 0.6)
}

func readFile(tb testing.TB, path string) []byte {
	tb.Helper()
	data, err := os.ReadFile(path)
	require.NoError(tb, err)
	return data
}

func decode(tb testing.TB, data []byte, req Request) *Result {
	tb.Helper()
	res, err := Decode(data, req)
	require.NoError(tb, err)
	return res
}

// pixelsOf returns the 8-bit RGB of a picture, row-major.
func pixelsOf(im image.Image) []byte {
	b := im.Bounds()
	pix := make([]byte, 0, b.Dx()*b.Dy()*3)
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r, g, bl, _ := im.At(x, y).RGBA()
			pix = append(pix, byte(r>>8), byte(g>>8), byte(bl>>8))
		}
	}
	return pix
}

// meanDifference returns the mean of |got - want| over all samples, in levels of 255.
func meanDifference(got, want []byte) float64 {
	sum := 0
	for i := range want {
		d := int(got[i]) - int(want[i])
		sum += max(d, -d)
	}
	return float64(sum) / float64(len(want))
}
