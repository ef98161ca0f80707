package imaging

import (
	"bytes"
	"image"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func BenchmarkDecode12MP(b *testing.B) {
	benchmarkDecode(b, 4000, 3000, Request{Targets: []Target{clip}})
}

func BenchmarkDecode1MP(b *testing.B) {
	benchmarkDecode(b, 1152, 864, Request{Targets: []Target{clip}})
}

// BenchmarkDecode1MPFlag decodes as for a flag: all turns and PDQ's input.
func BenchmarkDecode1MPFlag(b *testing.B) {
	views := []View{ViewOriginal, ViewFlipHorizontal, ViewRotate90, ViewRotate180, ViewRotate270, ViewTrimmed}
	benchmarkDecode(b, 1152, 864, Request{Targets: []Target{clip}, Views: views, Gray: true})
}

func benchmarkDecode(b *testing.B, w, h int, req Request) {
	data := photoLike(b, w, h)
	b.ReportMetric(float64(len(data))/1000, "kB")
	for b.Loop() {
		_, err := Decode(data, req)
		require.NoError(b, err)
	}
}

// photoLike draws a JPEG with about a photograph's bytes per pixel: soft shapes and some grain.
func photoLike(tb testing.TB, w, h int) []byte {
	grain := rand.New(rand.NewPCG(1, 2))
	im := image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio420)
	for y := range h {
		for x := range w {
			v := 128 + 60*math.Sin(float64(x)/97)*math.Cos(float64(y)/71) + 30*math.Sin(float64(x*y)/40000) + 4*grain.NormFloat64()
			im.Y[y*im.YStride+x] = uint8(max(0, min(255, v)))
		}
	}
	for i := range im.Cb {
		im.Cb[i], im.Cr[i] = uint8(128+i/im.CStride%64), uint8(128-i%im.CStride%64)
	}
	var buf bytes.Buffer
	require.NoError(tb, jpeg.Encode(&buf, im, &jpeg.Options{Quality: 85}))
	return buf.Bytes()
}
