package imaging

import (
	"math"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// reference resamples one row of grey in floating point by the definition.
func reference(row []byte, out int, kernel Kernel) []float64 {
	support, weight := 2.0, func(x float64) float64 {
		if x < 1 {
			return 1.5*x*x*x - 2.5*x*x + 1
		}
		return -0.5*x*x*x + 2.5*x*x - 4*x + 2
	}
	switch kernel {
	case KernelLinear:
		support, weight = 1, func(x float64) float64 { return 1 - x }
	case KernelLanczos3:
		sinc := func(x float64) float64 {
			if x == 0 {
				return 1
			}
			return math.Sin(math.Pi*x) / (math.Pi * x)
		}
		support, weight = 3, func(x float64) float64 { return sinc(x) * sinc(x/3) }
	}
	scale := float64(len(row)) / float64(out)
	stretch := max(1, scale)
	result := make([]float64, out)
	for i := range result {
		sum, total := 0.0, 0.0
		for j, v := range row {
			if x := math.Abs(float64(j)+0.5-(float64(i)+0.5)*scale) / stretch; x < support {
				sum, total = sum+weight(x)*float64(v), total+weight(x)
			}
		}
		result[i] = max(0, min(255, sum/total))
	}
	return result
}

func TestResample(t *testing.T) {
	noise := rand.New(rand.NewPCG(5, 6))
	for _, kernel := range []Kernel{KernelLinear, KernelCubic, KernelLanczos3} {
		for _, sizes := range [][2]int{{100, 37}, {100, 100}, {37, 100}, {5, 1}, {1, 5}, {1000, 7}} {
			row := make([]byte, sizes[0])
			for i := range row {
				row[i] = byte(noise.UintN(256))
			}
			want := reference(row, sizes[1], kernel)
			across := resampled(t, plane{row, sizes[0], 1, 1}, sizes[1], 1, kernel)
			const columns = 75 // for vectors of all widths, and a remainder
			var wide []byte
			for i := range row {
				for c := range columns {
					wide = append(wide, row[(i+c)%len(row)])
				}
			}
			down := resampled(t, plane{wide, columns, sizes[0], 1}, columns, sizes[1], kernel)
			for i := range want {
				require.InDelta(t, want[i], float64(across[i]), 1.01, "%s %v", kernel, sizes)
			}
			for c := range columns {
				want := reference(append(row[c%len(row):len(row):len(row)], row[:c%len(row)]...), sizes[1], kernel)
				for i := range want {
					require.InDelta(t, want[i], float64(down[i*columns+c]), 1.01, "%s %v, column %d", kernel, sizes, c)
				}
			}
		}
	}
	nearest := resampled(t, plane{[]byte{10, 20, 30, 40}, 4, 1, 1}, 2, 1, KernelNearest)
	require.Equal(t, []byte{20, 40}, nearest)
}

func resampled(t *testing.T, p plane, w, h int, kernel Kernel) []byte {
	t.Helper()
	out, err := p.resampled(rect{0, 0, p.width, p.height}, w, h, kernel, rect{0, 0, w, h}, make([]byte, w*h*p.bands))
	require.NoError(t, err)
	return out.pix
}

func TestResampleKeepsFlatAreas(t *testing.T) {
	flat := make([]byte, 301*203*3)
	for _, level := range []byte{0, 1, 127, 254, 255} {
		for i := range flat {
			flat[i] = level
		}
		for _, v := range resampled(t, plane{flat, 301, 203, 3}, 224, 224, KernelLanczos3) {
			require.Equal(t, level, v)
		}
	}
}

func TestResampledPartIsThePartOfTheResampled(t *testing.T) {
	p := plane{pixelsOf(drawing(200, 150)), 200, 150, 3}
	whole := resampled(t, p, 90, 70, KernelCubic)
	part, err := p.resampled(rect{0, 0, 200, 150}, 90, 70, KernelCubic, rect{20, 30, 40, 25}, make([]byte, 40*25*p.bands))
	require.NoError(t, err)
	for y := range 25 {
		require.Equal(t, whole[((y+30)*90+20)*3:((y+30)*90+60)*3], part.pix[y*40*3:(y+1)*40*3])
	}
}

// Concurrent decodes give the same results, with reused memory and beside failing pictures.
func TestDecodeConcurrently(t *testing.T) {
	good, bad := encodeJPEG(t, drawing(700, 500)), encodeJPEG(t, drawing(300, 200))
	req := Request{Targets: []Target{clip}, Views: allViews, Gray: true}
	want := decode(t, good, req)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5 {
				got, err := Decode(good, req)
				if err != nil || !reflect.DeepEqual(want, got) {
					t.Errorf("another answer: %v", err)
				}
				if _, err := Decode(bad[:len(bad)/2], req); err == nil {
					t.Error("half a picture was decoded")
				}
			}
		})
	}
	wg.Wait()
}
