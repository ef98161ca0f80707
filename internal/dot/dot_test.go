package dot

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func random(r *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = r.Float32() - 0.5
	}
	return v
}

func TestProductsAreTheInnerProducts(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, dims := range []int{1, 7, 8, 9, 257} {
		for _, rows := range [][2]int{{1, 1}, {3, 5}, {4, 2}, {9, 7}} {
			a, b := random(r, rows[0]*dims), random(r, rows[1]*dims)
			out := make([]float32, rows[0]*rows[1])
			Products(a, b, dims, out)
			for i := range rows[0] {
				for j := range rows[1] {
					var want float64
					for k := range dims {
						want += float64(a[i*dims+k]) * float64(b[j*dims+k])
					}
					require.InDelta(t, want, out[i*rows[1]+j], 1e-5)
				}
			}
		}
	}
	Products(nil, []float32{1}, 1, nil)
	require.Panics(t, func() { Products([]float32{1, 2}, []float32{1, 2}, 2, make([]float32, 2)) })
}

func TestFixedProductsAreTheInnerProductsOfUnitVectors(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for _, dims := range []int{1, 7, 16, 33, 1024} {
		for _, rows := range [][2]int{{1, 1}, {3, 5}, {4, 2}, {9, 7}} {
			a, b := random(r, rows[0]*dims), random(r, rows[1]*dims)
			for _, m := range [][]float32{a, b} {
				for row := range slices.Chunk(m, dims) {
					length := float32(math.Sqrt(float64(Product(row, row))))
					for i := range row {
						row[i] /= length
					}
				}
			}
			want, out := make([]float32, rows[0]*rows[1]), make([]float32, rows[0]*rows[1])
			Products(a, b, dims, want)
			FixedProducts(Fixed(nil, a), Fixed(nil, b), dims, out)
			require.InDeltaSlice(t, want, out, 1e-4)
		}
	}
	long := []float32{1.02, 0, 0, 0}
	require.Equal(t, []int16{32640, 0, 0, 0, 32767, -32768}, Fixed(Fixed(nil, long), []float32{2, -2}))
	require.Panics(t, func() { FixedProducts(make([]int16, 2), make([]int16, 2), 2, make([]float32, 2)) })
}

func TestProduct(t *testing.T) {
	var a, b []float32
	want := float32(0)
	for i := range 11 {
		a, b = append(a, float32(i)), append(b, float32(2*i-7))
		want += float32(i) * float32(2*i-7)
		require.Equal(t, want, Product(a, b), "%d dimensions", i+1)
	}
}

// BenchmarkProducts is of 256 rows of 256 numbers with a few others.
func BenchmarkProducts(b *testing.B) {
	const dims, rows = 256, 256
	r := rand.New(rand.NewPCG(1, 1))
	held := random(r, rows*dims)
	for _, n := range []int{1, 2, 16} {
		asked, out := random(r, n*dims), make([]float32, rows*n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				Products(held, asked, dims, out)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(out)), "ns/product")
		})
	}
}
