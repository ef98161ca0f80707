package embed

import (
	"fmt"
	"math"
	"slices"

	"moderator/internal/dot"
)

// nearestOfBackground is the number of inner products of which b(x) is the mean.
const nearestOfBackground = 5

// Background is a set of unit vectors of unrelated pictures. With it, the score of q and r is q·r − ½b(q) − ½b(r), where
// b(x) is the mean of x's five highest inner products with the background (score normalisation, as in SSCD, Pizzi et al.
// 2022, and DISC21's winners). It is immutable and safe for concurrent use.
type Background struct {
	rows   int
	dims   int
	matrix []int16 // rows × dims, row-major, fixed point: half of the memory traffic of float32
}

// parseBackground parses background.npy: at least five unit vectors.
func parseBackground(data []byte) (*Background, error) {
	rows, dims, matrix, err := parseNPY(data)
	if err != nil {
		return nil, err
	}
	if rows < nearestOfBackground {
		return nil, fmt.Errorf("it has %d vectors, wanted at least %d, better 2000", rows, nearestOfBackground)
	}
	for r := range rows {
		var sum float64
		for _, v := range matrix[r*dims : (r+1)*dims] {
			sum += float64(v) * float64(v)
		}
		if norm := math.Sqrt(sum); !(math.Abs(norm-1) < 0.01) { // also true for NaN; 0.01 exceeds float16's rounding
			return nil, fmt.Errorf("vector %d has length %.4g, wanted 1: normalise the vectors before saving them", r, norm)
		}
	}
	return NewBackground(dims, matrix), nil
}

// NewBackground returns the background of a row-major matrix with at least five rows, unit vectors of dims numbers.
func NewBackground(dims int, matrix []float32) *Background {
	return &Background{rows: len(matrix) / dims, dims: dims, matrix: dot.Fixed(nil, matrix)}
}

// Size returns the number of vectors and their width.
func (b *Background) Size() (rows, dims int) { return b.rows, b.dims }

// Penalty returns ½·b(v), half of the mean of v's five highest inner products with the background, with an error of some
// 1e-5. v must be a unit vector of the background's width.
func (b *Background) Penalty(v []float32) float32 { return b.Penalties([][]float32{v})[0] }

// Penalties returns the Penalty of each vector. It reads the background once for all.
func (b *Background) Penalties(vectors [][]float32) []float32 {
	tops := make([]highest, len(vectors))
	asked := make([]int16, 0, len(vectors)*b.dims)
	for k, v := range vectors {
		if len(v) != b.dims {
			panic(fmt.Sprintf("embed: a vector of %d numbers against a background of %d", len(v), b.dims))
		}
		asked = dot.Fixed(asked, v)
		for i := range tops[k] {
			tops[k][i] = float32(math.Inf(-1))
		}
	}
	const part = 64 // rows at a time, whose products stay in a core's cache
	products := make([]float32, part*len(vectors))
	for rows := range slices.Chunk(b.matrix, part*b.dims) {
		out := products[:len(rows)/b.dims*len(vectors)]
		dot.FixedProducts(rows, asked, b.dims, out)
		for ; len(out) > 0; out = out[len(tops):] {
			for k, d := range out[:len(tops)] {
				if d > tops[k][0] { // rare
					tops[k].take(d)
				}
			}
		}
	}
	penalties := make([]float32, len(vectors))
	for k, top := range tops {
		var sum float64
		for _, d := range top {
			sum += float64(d)
		}
		penalties[k] = float32(sum / nearestOfBackground / 2)
	}
	return penalties
}

// highest holds the highest numbers so far, ascending.
type highest [nearestOfBackground]float32

// take inserts d, which must be higher than the lowest.
func (h *highest) take(d float32) {
	i := 1
	for ; i < len(h) && d > h[i]; i++ {
		h[i-1] = h[i]
	}
	h[i-1] = d
}
