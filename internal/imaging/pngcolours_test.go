package imaging

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"image"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// pngOfRows compresses rows, each with its filter byte. It writes chunks between header and pixels.
func pngOfRows(tb testing.TB, w, h int, depth, colour byte, rows []byte, chunks ...[]byte) []byte {
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	_, err := z.Write(rows)
	require.NoError(tb, err)
	require.NoError(tb, z.Close())
	u32 := binary.BigEndian.AppendUint32
	file := appendChunk([]byte(pngSignature), "IHDR", append(u32(u32(nil, uint32(w)), uint32(h)), depth, colour, 0, 0, 0))
	for _, c := range chunks {
		file = append(file, c...)
	}
	return appendChunk(appendChunk(file, "IDAT", packed.Bytes()), "IEND", nil)
}

func numbers(kind string, values ...uint32) []byte {
	var data []byte
	for _, v := range values {
		data = binary.BigEndian.AppendUint32(data, v)
	}
	return appendChunk(nil, kind, data)
}

// stored returns the drawing as 16-bit samples, encoded with the inverse of a curve.
func stored(t *testing.T, colour byte, inverse func(light float64) float64, chunks ...[]byte) []byte {
	t.Helper()
	im := drawing(64, 48)
	var rows []byte
	for y := range 48 {
		rows = append(rows, 0)
		for x := range 64 {
			bands := im.Pix[im.PixOffset(x, y):][:3]
			if colour == 0 {
				bands = bands[:1]
			}
			for _, v := range bands {
				rows = binary.BigEndian.AppendUint16(rows, uint16(math.Round(65535*inverse(srgbLight(float64(v)/255)))))
			}
		}
	}
	return pngOfRows(t, 64, 48, 16, colour, rows, chunks...)
}

// red is the drawing's red as grey.
func red(im *image.RGBA) []byte {
	out := pixelsOf(im)
	for i := range len(out) / 3 {
		out[3*i+1], out[3*i+2] = out[3*i], out[3*i]
	}
	return out
}

// Browsers honour a PNG's colour chunks, other viewers ignore them. Both looks are judged.
func TestColoursOfPNG(t *testing.T) {
	want := drawing(64, 48)
	raised := func(exponent float64) func(float64) float64 {
		return func(light float64) float64 { return math.Pow(light, exponent) }
	}
	sums := numbers("gAMA", 1000)
	sums[len(sums)-1]++
	washed := numbers("gAMA", 1000)
	for name, c := range map[string]struct {
		inverse func(float64) float64
		chunks  [][]byte
	}{
		"gAMA 0.01":             {raised(0.01), [][]byte{washed}},
		"gAMA 3":                {raised(3), [][]byte{numbers("gAMA", 300_000)}},
		"gAMA beside sRGB":      {raised(0.01), [][]byte{appendChunk(nil, "sRGB", []byte{0}), washed}},
		"the first that counts": {raised(0.01), [][]byte{numbers("gAMA", 1000), numbers("gAMA", 45455)}},
		"a wrong checksum":      {raised(3), [][]byte{sums, numbers("gAMA", 300_000)}},
		"cICP linear":           {raised(1), [][]byte{appendChunk(nil, "cICP", []byte{1, 8, 0, 1})}},
		"cICP gamma 2.8":        {raised(1 / 2.8), [][]byte{appendChunk(nil, "cICP", []byte{1, 5, 0, 1})}},
	} {
		t.Run(name, func(t *testing.T) {
			got := renderings(t, stored(t, 2, c.inverse, c.chunks...), Limits{})
			require.Len(t, got, 2)
			require.Less(t, meanDifference(got[2], pixelsOf(want)), 1.5)
			require.Greater(t, meanDifference(got[0], pixelsOf(want)), 10.0, "what is stored")

			grey := renderings(t, stored(t, 0, c.inverse, c.chunks...), Limits{})
			require.Less(t, meanDifference(grey[2], red(want)), 1.5)
		})
	}
}

// srgbOf returns the sRGB sample of a linear light.
func srgbOf(light float64) float64 {
	if light <= 0.0031308 {
		return 12.92 * light
	}
	return 1.055*math.Pow(light, 1/2.4) - 0.055
}

// Chunks that do not change the picture add no look.
func TestUsualColoursOfPNG(t *testing.T) {
	usual := [][]byte{
		numbers("gAMA", 45455), numbers("cHRM", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000),
		appendChunk(nil, "cICP", []byte{1, 13, 0, 1}),
	}
	require.Len(t, renderings(t, stored(t, 2, srgbOf, usual...), Limits{}), 1)
	none := [][]byte{numbers("gAMA", 0), numbers("cHRM", 1), appendChunk(nil, "cICP", []byte{2, 2, 2})}
	require.Len(t, renderings(t, stored(t, 2, srgbOf, none...), Limits{}), 1)
}

// Primaries change colours: a red of BT.2020 exceeds sRGB's.
func TestPrimariesOfPNG(t *testing.T) {
	row := []byte{0, 180, 80, 80}
	for name, chunk := range map[string][]byte{
		"cHRM": numbers("cHRM", 31270, 32900, 70800, 29200, 17000, 79700, 13100, 4600),
		"cICP": appendChunk(nil, "cICP", []byte{9, 13, 0, 1}),
	} {
		got := renderings(t, pngOfRows(t, 1, 1, 8, 2, row, chunk), Limits{})
		require.Len(t, got, 2, name)
		require.InDeltaSlice(t, []int{219, 51, 77}, got[2], 1.01, name)
	}
	nowhere := renderings(t, pngOfRows(t, 1, 1, 8, 2, row, numbers("cHRM", 0, 0, 0, 0, 0, 0, 0, 0)), Limits{})
	require.Equal(t, nowhere[0], nowhere[2])
}

func TestMatrixOfSRGB(t *testing.T) {
	space := srgbSpace(srgbLight)
	for i, row := range space.matrix() {
		for j, v := range row {
			require.InDelta(t, map[bool]float64{true: 1}[i == j], v, 1e-9)
		}
	}
}

func TestBrightnessOfHDR(t *testing.T) {
	require.InDelta(t, 203, 10_000*perceptualQuantiser(0.5807), 1)
	require.InDelta(t, 1, perceptualQuantiser(1), 1e-9)
	require.InDelta(t, 1, hybridLogGamma(1), 1e-6)
	require.InDelta(t, 1./12, hybridLogGamma(0.5), 1e-6)
}
