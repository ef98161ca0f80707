package keypoint

// #cgo CFLAGS: -O3
// #cgo noescape kp_blur
// #cgo nocallback kp_blur
// #cgo noescape kp_load
// #cgo nocallback kp_load
// #cgo noescape kp_halve
// #cgo nocallback kp_halve
// #include "blur.h"
import "C"

import (
	"math"
	"sync"
)

// The scale space of the paper: intervals scales an octave, the first blurred by firstSigma pixels; a plane as it comes is
// taken to be blurred by half a pixel.
const (
	intervals   = 3
	firstSigma  = 1.6
	givenSigma  = 0.5
	forExtremes = intervals + 3 // blurred planes of an octave: extremes are looked for in their differences, between two of them
	forPlane    = intervals + 1 // and where descriptions alone are taken
	smallestMin = 16            // of the shorter side of an octave after the first, in pixels
)

// A plane's pixels are perLevel for each of 256 levels, from middle grey: 16 bits have room for the sum of two.
const (
	perLevel = 128
	middle   = 128
)

// image is a plane, row by row.
type image struct {
	width, height int
	pix           []int16
}

// space is memory for planes, which are megabytes a picture: dear to clear and to collect.
type space struct {
	all, left []int16
	rows      []int16 // for kp_blur and kp_extremes
	places    []int32 // of the extremes of a plane
}

var spaces = sync.Pool{New: func() any { return new(space) }}

// takeSpace has room for all planes of a picture of so many pixels: one, and six for each octave.
func takeSpace(pixels int) *space {
	s := spaces.Get().(*space)
	if need := 9 * pixels; len(s.all) < need {
		s.all, s.places = make([]int16, need), make([]int32, pixels/2+1)
	}
	s.left = s.all
	return s
}

// give lets the memory be used again. No plane may be used after it.
func (s *space) give() { spaces.Put(s) }

// image is a plane whose pixels are undefined.
func (s *space) image(width, height int) image {
	n := width * height
	m := image{width, height, s.left[:n:n]}
	s.left = s.left[n:]
	return m
}

// lines is room for rows of so many pixels, undefined until the next call.
func (s *space) lines(pixels int) *C.int16_t {
	if len(s.rows) < pixels {
		s.rows = make([]int16, pixels)
	}
	return (*C.int16_t)(&s.rows[0])
}

// loaded is a plane of bytes.
func (s *space) loaded(width, height int, pix []byte) image {
	m := s.image(width, height)
	C.kp_load((*C.uint8_t)(&pix[0]), (*C.int16_t)(&m.pix[0]), C.int(len(m.pix)), middle, perLevel)
	return m
}

func (m image) at(x, y int) int16 { return m.pix[y*m.width+x] }

// octave is one resolution: blurred planes, each 2^(1/intervals) times as blurred as the one before. Points are looked for in
// their differences.
type octave struct {
	step    float32 // pixels of the given plane for one of the octave
	blurred [forExtremes]image
}

// around is the i-th difference at a pixel and its neighbours, by row and column, of black to white.
func (o *octave) around(i, x, y int) (d [3][3]float64) {
	less, more := o.blurred[i], o.blurred[i+1]
	for r := range d {
		at := (y-1+r)*less.width + x - 1
		a, b := less.pix[at:][:3], more.pix[at:][:3]
		for c := range d[r] {
			d[r][c] = float64(b[c]-a[c]) / (perLevel * 255)
		}
	}
	return d
}

// scaleSpace makes the octaves of a plane of bytes, each with so many blurred planes. There is one octave at least, however narrow the plane is.
func (s *space) scaleSpace(width, height int, pix []byte, planes int) []octave {
	first := s.blurred(s.loaded(width, height, pix), givenSigma, firstSigma)
	var octaves []octave
	for step := float32(1); ; step *= 2 {
		o := octave{step: step}
		o.blurred[0] = first
		for i := 1; i < planes; i++ {
			before := firstSigma * math.Pow(2, float64(i-1)/intervals)
			after := firstSigma * math.Pow(2, float64(i)/intervals)
			o.blurred[i] = s.blurred(o.blurred[i-1], before, after)
		}
		octaves = append(octaves, o)
		last := o.blurred[intervals]
		if min(last.width, last.height)/2 < smallestMin {
			return octaves
		}
		first = s.halved(last)
	}
}

// blurred takes a plane that is blurred by before to after. Pixels that lie as far apart as the plane is blurred say all that is in it, so
// that the kernel leaves those between out (à trous, Holschneider et al. 1989).
func (s *space) blurred(m image, before, after float64) image {
	step := max(1, int(before))
	sigma := math.Sqrt(after*after-before*before) / float64(step)
	radius := int(math.Ceil(3 * sigma))
	weights, sum := make([]float64, radius+1), 0.0
	for k := range weights {
		weights[k] = math.Exp(-float64(k*k) / (2 * sigma * sigma))
		sum += weights[k]
		if k > 0 {
			sum += weights[k]
		}
	}
	const one = 1 << 15
	half, rest := make([]C.int16_t, radius+1), one
	for k := 1; k <= radius; k++ {
		half[k] = C.int16_t(math.Round(weights[k] / sum * one))
		rest -= 2 * int(half[k])
	}
	half[0] = C.int16_t(rest) // so that a flat area keeps its level
	out := s.image(m.width, m.height)
	C.kp_blur((*C.int16_t)(&m.pix[0]), (*C.int16_t)(&out.pix[0]), s.lines(m.width+2*radius*step),
		C.int(m.width), C.int(m.height), &half[0], C.int(radius), C.int(step))
	return out
}

// halved takes every other pixel.
func (s *space) halved(m image) image {
	h := s.image(m.width/2, m.height/2)
	C.kp_halve((*C.int16_t)(&m.pix[0]), (*C.int16_t)(&h.pix[0]), C.int(m.width), C.int(m.height))
	return h
}
