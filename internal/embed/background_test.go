package embed

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/dot"
	"moderator/internal/half"
)

// randomVectors returns a row-major matrix of unit vectors.
func randomVectors(rows, dims int) []float32 {
	r := rand.New(rand.NewPCG(1, 2))
	matrix := make([]float32, rows*dims)
	for i := range matrix {
		matrix[i] = float32(r.NormFloat64())
	}
	for row := range slices.Chunk(matrix, dims) {
		normalise(row)
	}
	return matrix
}

func TestPenaltyIsTheFormula(t *testing.T) {
	for _, dims := range []int{3, 8, 250, 256} {
		matrix := randomVectors(700, dims)
		b, v := NewBackground(dims, matrix[dims:]), matrix[:dims]
		products := make([]float64, b.rows)
		for r := range products {
			for i := range v {
				products[r] += float64(matrix[(r+1)*dims+i]) * float64(v[i])
			}
		}
		slices.Sort(products)
		var sum float64
		for _, p := range products[len(products)-5:] {
			sum += p
		}
		require.InDelta(t, sum/5/2, b.Penalty(v), 2e-5)
		w := matrix[2*dims : 3*dims]
		require.Equal(t, []float32{b.Penalty(w), b.Penalty(v)}, b.Penalties([][]float32{w, v}))
	}
	require.Panics(t, func() { NewBackground(4, randomVectors(5, 4)).Penalty([]float32{1}) })
}

func TestParseBackground(t *testing.T) {
	rows := []float32{1, 0, 0, 1, 0.6, 0.8, -1, 0, 0, -1}
	var halves []byte
	for _, v := range rows {
		halves = binary.LittleEndian.AppendUint16(halves, half.FromFloat(v))
	}
	for descr, body := range map[string][]byte{"<f4": floatBytes(rows), "<f2": halves} {
		b, err := parseBackground(npy(descr, 5, 2, body))
		require.NoError(t, err)
		n, dims := b.Size()
		require.Equal(t, []int{5, 2}, []int{n, dims})
		require.InDeltaSlice(t, dot.Fixed(nil, rows), b.matrix, 32)
	}
	nan := slices.Clone(rows)
	nan[3] = float32(math.NaN())
	good := npy("<f4", 5, 2, floatBytes(rows))
	for want, data := range map[string][]byte{
		"not a NumPy file":                      []byte("PK\x03\x04 an npz file"),
		"the header is truncated":               good[:40],
		"it has 39 bytes of numbers, wanted 40": good[:len(good)-1],
		"it has 41 bytes of numbers, wanted 40": append(slices.Clone(good), 0),
		"'<f8'":                                 npy("<f8", 5, 2, make([]byte, 80)),
		"'>f4'":                                 npy(">f4", 5, 2, floatBytes(rows)),
		"it has 4 vectors, wanted at least 5":   npy("<f4", 4, 2, floatBytes(rows[:8])),
		"vector 4 has length 0, wanted 1":       npy("<f4", 5, 2, floatBytes(append(slices.Clone(rows[:8]), 0, 0))),
		"vector 1 has length NaN":               npy("<f4", 5, 2, floatBytes(nan)),
		"NumPy format version 9":                append([]byte("\x93NUMPY\x09\x00"), good[8:]...),
		"shape (0, 2)":                          npy("<f4", 0, 2, nil),
	} {
		_, err := parseBackground(data)
		require.ErrorContains(t, err, want)
	}
}

func TestNormalise(t *testing.T) {
	v := []float32{3e20, 4e20} // the squares overflow float32
	require.True(t, normalise(v))
	require.InDeltaSlice(t, []float32{0.6, 0.8}, v, 1e-7)
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, v := range [][]float32{{0, 0}, {inf, 1}, {nan, 1}, {}} {
		require.False(t, normalise(v))
	}
}

func BenchmarkPenalties(b *testing.B) {
	matrix := randomVectors(4096, 256)
	background := NewBackground(256, matrix)
	for _, n := range []int{1, 16} {
		var vectors [][]float32
		for k := range n {
			vectors = append(vectors, matrix[k*256:(k+1)*256])
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				background.Penalties(vectors)
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/vector")
		})
	}
}
