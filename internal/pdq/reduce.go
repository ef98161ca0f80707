package pdq

// grid is the number of samples per side that the hash is computed from.
const grid = 64

// square holds grid x grid samples of luma, 0 to 255, row by row.
type square [grid * grid]float32

// taps are the weights of the pixels, along one axis, that make one sample:
// those of first, first+1, ...; they sum to 1.
type taps struct {
	first   int
	weights []float32
}

// reduce filters a plane of width x height pixels and samples it on the grid.
//
// Filter and sampling are linear and treat the axes apart, so that they are
// one weighted sum per axis and sample: a plane is never filtered where no
// sample is taken.
func reduce(width, height int, luma []byte) *square {
	across, down := sampling(width), sampling(height)
	var s square
	row := make([]float32, width)
	for y, t := range down {
		clear(row)
		for k, weight := range t.weights {
			line := luma[(t.first+k)*width:][:len(row)]
			for x, v := range line {
				row[x] += weight * float32(v)
			}
		}
		for x, t := range across {
			sum := float32(0)
			for k, weight := range t.weights {
				sum += weight * row[t.first+k]
			}
			s[y*grid+x] = sum
		}
	}
	return &s
}

// sampling returns the taps of the samples along an axis of n pixels: two
// passes of a box filter, seen from the pixel in the middle of each of grid
// equal parts.
//
// The box is as long as half a part, rounded up, so that two passes make a
// tent over one part. A box of even length reaches one pixel farther to the
// right; at the edges it is cut off, and is the mean of what is left of it.
func sampling(n int) [grid]taps {
	length := (n + 2*grid - 1) / (2 * grid)
	box := func(i int) (from, to int) {
		return max(0, i+length/2+1-length), min(n, i+length/2+1)
	}
	var samples [grid]taps
	for s := range samples {
		from, to := box((2*s + 1) * n / (2 * grid))
		first, _ := box(from)
		_, end := box(to - 1)
		weights := make([]float32, end-first)
		for i := from; i < to; i++ {
			a, b := box(i)
			share := 1 / float32((to-from)*(b-a))
			for k := a; k < b; k++ {
				weights[k-first] += share
			}
		}
		samples[s] = taps{first: first, weights: weights}
	}
	return samples
}

// quality is how much there is to see in s, 0 to 100: the differences between
// neighbours in per cent of the range, cut to whole numbers so that noise and
// soft gradients count nothing, summed over both directions and scaled such
// that most photographs reach 100.
func (s *square) quality() int {
	difference := func(a, b float32) int {
		return int(max(a-b, b-a) * 100 / 255)
	}
	sum := 0
	for y := range grid {
		for x := range grid {
			i := y*grid + x
			if y+1 < grid {
				sum += difference(s[i], s[i+grid])
			}
			if x+1 < grid {
				sum += difference(s[i], s[i+1])
			}
		}
	}
	return min(100, sum/90)
}
