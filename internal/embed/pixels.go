package embed

import (
	"errors"
	"math"

	"moderator/internal/half"
)

// ErrNoVector is wrapped by VectorError: the graph's output for the picture is zero or not finite.
var ErrNoVector = errors.New("the model returned no usable vector for it")

// tables hold (value·scale − mean[c]) / std[c] for every 8-bit value, in both input types of graphs.
type tables struct {
	float [3][256]float32
	half  [3][256]uint16
}

func newTables(p preprocessing) *tables {
	t := &tables{}
	for c := range 3 {
		for v := range 256 {
			f := float32((float64(v)*p.scale - p.mean[c]) / p.std[c])
			t.float[c][v], t.half[c][v] = f, half.FromFloat(f)
		}
	}
	return t
}

// fill converts interleaved RGB [H·W·3] to planes [3·H·W].
func fill[T float32 | uint16](planes []T, rgb []byte, table *[3][256]T) {
	n := len(rgb) / 3
	r, g, b := planes[:n], planes[n:2*n], planes[2*n:3*n]
	for i := range n {
		p := rgb[3*i : 3*i+3 : 3*i+3]
		r[i], g[i], b[i] = table[0][p[0]], table[1][p[1]], table[2][p[2]]
	}
}

// normalise scales v to length 1. It returns false if v is zero or not finite.
func normalise(v []float32) bool {
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	if !(sum > 0) || math.IsInf(sum, 1) {
		return false
	}
	scale := 1 / math.Sqrt(sum)
	for i, x := range v {
		v[i] = float32(float64(x) * scale)
	}
	return true
}
