package pdq

// #cgo noescape pdq_median
// #cgo nocallback pdq_median
// #include "reduce.h"
import "C"

import "math"

// frequencies is the number of cosines on each axis, from frequency 1 on. The
// mean brightness, frequency 0, is not part of the hash.
const frequencies = 16

// spectrum holds the coefficients of the cosine transform; row i, column j is
// the vertical frequency i+1 and the horizontal frequency j+1.
type spectrum [frequencies * frequencies]float32

// cosines is the orthonormal cosine transform (DCT-II) of length grid, with a
// row for each frequency: √(2/64)·cos((2x+1)fπ/128).
var cosines = func() (c [frequencies][grid]float32) {
	for f := range c {
		for x := range c[f] {
			angle := math.Pi / (2 * grid) * float64((2*x+1)*(f+1))
			c[f][x] = float32(math.Sqrt(2./grid) * math.Cos(angle))
		}
	}
	return c
}()

// spectrum transforms the columns of s, then the rows.
func (s *square) spectrum() *spectrum {
	var c spectrum
	C.pdq_transform((*C.float)(&s[0]), (*C.float)(&cosines[0][0]), frequencies, (*C.float)(&c[0]))
	return &c
}

// median returns the lower of the two middle coefficients, so that half of
// the others are above it.
func (c *spectrum) median() float32 {
	return float32(C.pdq_median((*C.float)(&c[0])))
}

// hash sets the bits of the coefficients above the median.
func (c *spectrum) hash(median float32) Hash {
	var h Hash
	for i, v := range c {
		if v > median {
			h[len(h)-1-i/8] |= 1 << (i % 8)
		}
	}
	return h
}

// mirrored returns the spectrum of the picture with top and bottom (rows) and
// left and right (columns) exchanged. Mirroring negates the cosines of odd
// frequencies: cos((2(63-x)+1)fπ/128) = (-1)^f·cos((2x+1)fπ/128).
func (c *spectrum) mirrored(rows, columns bool) *spectrum {
	var m spectrum
	for k, v := range c {
		i, j := k/frequencies, k%frequencies
		if (rows && i%2 == 0) != (columns && j%2 == 0) {
			v = -v
		}
		m[k] = v
	}
	return &m
}

// transposed returns the spectrum of the picture with its rows as columns.
func (c *spectrum) transposed() *spectrum {
	var t spectrum
	for k, v := range c {
		t[k%frequencies*frequencies+k/frequencies] = v
	}
	return &t
}
