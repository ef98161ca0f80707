package pdq

// #cgo CFLAGS: -O3
// #cgo noescape pdq_differences
// #cgo nocallback pdq_differences
// #include "reduce.h"
import "C"

// grid is the number of samples on each side from which the hash is computed.
const grid = C.PDQ_GRID

// Grid is the number of samples on each side that OfGrid takes.
const Grid = grid

// OfGrid hashes Grid x Grid samples of luma, row by row, that somebody else filtered.
func OfGrid(samples *[Grid * Grid]float32) Hash {
	c := (*square)(samples).spectrum()
	return c.hash(c.median())
}

// square holds grid x grid samples of luma, 0 to 255, row-major.
type square [grid * grid]float32

// reduce filters a plane of width x height pixels and samples it on the grid.
//
// Filter and sampling are linear and separable. They are therefore one weighted
// sum for each axis and sample, and nothing between samples is filtered.
func reduce(width, height int, luma []byte) *square {
	across, acrossWeights := sampling(width)
	down, downWeights := sampling(height)
	var s square
	row := make([]float32, width)
	C.pdq_reduce((*C.uint8_t)(&luma[0]), C.int(width), &across, (*C.float)(&acrossWeights[0]),
		&down, (*C.float)(&downWeights[0]), (*C.float)(&row[0]), (*C.float)(&s[0]))
	return &s
}

// sampling returns the weights of the samples along an axis of n pixels: two
// passes of a box filter at the middle pixel of each of grid equal parts.
//
// The box is as long as half a part, rounded up, so that two passes make a tent
// over one part. A box of even length extends one pixel farther to the right. At
// the edges it is truncated, and is the mean of the rest.
func sampling(n int) (axis C.pdq_axis, weights []float32) {
	length := (n + 2*grid - 1) / (2 * grid)
	box := func(i int) (from, to int) {
		return max(0, i+length/2+1-length), min(n, i+length/2+1)
	}
	most := 2 * length
	axis.most = C.int32_t(most)
	weights = make([]float32, grid*most)
	for s := range grid {
		from, to := box((2*s + 1) * n / (2 * grid))
		first, _ := box(from)
		_, end := box(to - 1)
		axis.first[s], axis.count[s] = C.int32_t(first), C.int32_t(end-first)
		for i := from; i < to; i++ {
			a, b := box(i)
			share := 1 / float32((to-from)*(b-a))
			for k := a; k < b; k++ {
				weights[s*most+k-first] += share
			}
		}
	}
	return axis, weights
}

// quality measures the detail in s, 0 to 100: the sum of the differences between
// neighbours in both directions, in per cent of the range. The differences are
// truncated to integers, so that noise and soft gradients do not count. The sum
// is scaled so that most photographs reach 100.
func (s *square) quality() int {
	return min(100, int(C.pdq_differences((*C.float)(&s[0])))/90)
}
