package main

import (
	"cmp"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"

	"moderator/internal/keypoint"
	"moderator/internal/pointindex"
)

const ridge = 0.01 // added to the noise of each bit: some directions have next to none

// learn draws so many points, and as many pairs. It returns the table of pointindex, and the variance of each projection in
// units of the noise's.
func (l lessons) learn(draws int) (table []byte, signal []float64) {
	mean, all := l.spread(draws)
	noise := l.noise(draws)
	whiten := inverseRoot(noise)
	values, vectors := eigen(product(product(whiten, all), whiten))
	order := make([]int, size)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(values[b], values[a]) })
	back := product(whiten, vectors) // columns
	var offsets []byte
	for _, k := range order[:pointindex.Projections] {
		signal = append(signal, values[k])
		offset := 0.0
		for i := range size {
			w := back[i][k] * pointindex.Noise
			offset += w * mean[i]
			table = binary.LittleEndian.AppendUint16(table, uint16(int16(math.Round(w))))
		}
		offsets = binary.LittleEndian.AppendUint16(offsets, uint16(int16(math.Round(offset))))
	}
	return append(table, offsets...), signal
}

// spread is the mean and the covariance of points.
func (l lessons) spread(draws int) (mean [size]float64, c *matrix) {
	c = new(matrix)
	r := rand.New(rand.NewPCG(3, 3))
	n := 0.0
	for range draws {
		for _, b := range forms(l.points[r.IntN(len(l.points))]) {
			c.add(signsOf(b))
			for i, v := range signsOf(b) {
				mean[i] += v
			}
			n++
		}
	}
	for i := range mean {
		mean[i] /= n
	}
	for i := range c {
		for j := range c[i] {
			c[i][j] = c[i][j]/n - mean[i]*mean[j]
		}
	}
	return mean, c
}

// noise is half of the covariance of the differences of copies: that of one copy.
func (l lessons) noise(draws int) *matrix {
	c := new(matrix)
	r := rand.New(rand.NewPCG(4, 4))
	n := 0.0
	for range draws {
		p := l.pairs[r.IntN(len(l.pairs))]
		first, second := forms(p[0]), forms(p[1])
		for k := range first {
			a, b := signsOf(first[k]), signsOf(second[k])
			for i := range a {
				a[i] -= b[i]
			}
			c.add(a)
			n++
		}
	}
	for i := range c {
		for j := range c[i] {
			c[i][j] /= 2 * n
		}
		c[i][i] += ridge
	}
	return c
}

// signsOf are the bits as 1 and -1.
func signsOf(b keypoint.Bits) (v [size]float64) {
	for i := range v {
		v[i] = float64(b[i/64]>>(i%64)&1)*2 - 1
	}
	return v
}
