package embed

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/imaging"
	"moderator/internal/testenv"
)

// unlike are photographs whose reference crop must differ: Pillow 9 clips 16 bits and ignores colour profiles (here of CMYK
// and Adobe RGB), while we convert to sRGB.
var unlike = map[string]bool{"I16.png": true, "CMYK.jpg": true, "sample.jpg": true}

// parity is the difference between a photograph and its reference: of pixels in levels of 255, of vectors as a cosine.
type parity struct {
	name     string
	crop     float64
	cosine   float64
	ordinary bool // 8 bits, sRGB, and at least 224 pixels on the shorter side
}

// TestGolden decodes, crops and embeds photographs and compares the results with those of Pillow, torchvision and torch.
func TestGolden(t *testing.T) {
	data := testenv.Data(t)
	var manifest map[string]struct{ Crop string }
	goldenJSON(t, filepath.Join(data, "golden", "manifest.json"), &manifest)
	var reference map[string]map[string][]float32
	goldenJSON(t, filepath.Join(data, "golden", "embeddings.json"), &reference)

	var models []*Model
	var want []map[string][]float32
	for name, vectors := range reference {
		f, err := LoadDir(filepath.Join(data, "golden", "model", name))
		require.NoError(t, err)
		models = append(models, openModel(t, f, Options{}))
		want = append(want, vectors)
	}

	var all []parity
	for name, m := range manifest {
		file, err := os.ReadFile(filepath.Join(data, "photos", name))
		require.NoError(t, err)
		res, err := imaging.Decode(file, imaging.Request{Targets: []imaging.Target{models[0].Folder().Target()}})
		require.NoError(t, err, name)
		pixels := res.Frames[0].Views[0].Pixels[0]
		p := parity{
			name:     name,
			crop:     meanDifference(t, pixels, filepath.Join(data, "golden", "preprocess", m.Crop)),
			cosine:   1,
			ordinary: min(res.Width, res.Height) >= 224 && !unlike[filepath.Base(name)],
		}
		for i, model := range models {
			vectors, err := model.Embed(t.Context(), [][]byte{pixels})
			require.NoError(t, err, name)
			p.cosine = min(p.cosine, cosine(vectors[0], want[i][name]))
		}
		t.Logf("%-60s crop %.3f cosine %.6f", p.name, p.crop, p.cosine)
		all = append(all, p)
	}

	var ordinary, rest []parity
	for _, p := range all {
		if p.ordinary {
			ordinary = append(ordinary, p)
		} else {
			rest = append(rest, p)
		}
	}
	median, worstCrop, worstCosine := summary(ordinary)
	_, restCrop, restCosine := summary(rest)
	fmt.Printf("golden: %d images, crop median %.2f, max %.2f, cosine min %.6f (%d more small or 16-bit/CMYK/Adobe RGB images: crop max %.2f, cosine min %.6f)\n",
		len(ordinary), median, worstCrop, worstCosine, len(rest), restCrop, restCosine)
	require.LessOrEqual(t, median, 0.6)
	require.LessOrEqual(t, worstCrop, 1.5)
	require.GreaterOrEqual(t, worstCosine, 0.9999)
}

func summary(ps []parity) (median, maxCrop, minCosine float64) {
	crops, minCosine := make([]float64, len(ps)), 1.0
	for i, p := range ps {
		crops[i], minCosine = p.crop, min(minCosine, p.cosine)
	}
	slices.Sort(crops)
	return crops[len(crops)/2], crops[len(crops)-1], minCosine
}

// meanDifference returns the mean of |got − want| over all samples, in levels of 255. want is a PNG file.
func meanDifference(t *testing.T, got []byte, want string) float64 {
	text, err := os.ReadFile(want)
	require.NoError(t, err)
	img, err := png.Decode(bytes.NewReader(text))
	require.NoError(t, err)
	size, sum := img.Bounds().Size(), 0
	require.Len(t, got, size.X*size.Y*3)
	for y := range size.Y {
		for x := range size.X {
			for i, v := range rgb(img, x, y) {
				d := int(got[(y*size.X+x)*3+i]) - v
				sum += max(d, -d)
			}
		}
	}
	return float64(sum) / float64(size.X*size.Y*3)
}

func rgb(img image.Image, x, y int) [3]int {
	r, g, b, _ := img.At(x, y).RGBA()
	return [3]int{int(r >> 8), int(g >> 8), int(b >> 8)}
}

// cosine normalises both vectors, because the golden ones are rounded.
func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	return ab / math.Sqrt(aa*bb)
}

func goldenJSON(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, into))
}
