package keypoint

// #cgo CFLAGS: -O3
// #cgo noescape kp_blur
// #cgo nocallback kp_blur
// #include "blur.h"
import "C"

import (
	"math"
	"sync"
	"unsafe"
)

// The scale space of the paper: intervals scales an octave, the first blurred by firstSigma pixels; a plane as it comes is
// taken to be blurred by half a pixel.
const (
	intervals   = 3
	firstSigma  = 1.6
	givenSigma  = 0.5
	smallestMin = 16 // of an octave's shorter side, in pixels
)

// image is a plane of float32, row by row.
type image struct {
	width, height int
	pix           []float32
}

// space is memory for planes, which are megabytes a picture: dear to clear and to collect.
type space struct {
	all, left []float32
	places    []int32 // of the extremes of a plane
}

var spaces = sync.Pool{New: func() any { return new(space) }}

// takeSpace has room for all planes of a picture of so many pixels: two, ten for each octave, and what the next one begins with.
func takeSpace(pixels int) *space {
	s := spaces.Get().(*space)
	if need := 18 * pixels; len(s.all) < need {
		s.all, s.places = make([]float32, need), make([]int32, pixels/2+1)
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

func (m image) at(x, y int) float32 { return m.pix[y*m.width+x] }

// octave is one resolution: blurred planes, each 2^(1/intervals) times as blurred as the one before, and their differences.
type octave struct {
	step    float32 // pixels of the given plane for one of the octave
	blurred [intervals + 3]image
	diff    [intervals + 2]image
}

// scaleSpace makes the octaves of a plane of bytes.
func (s *space) scaleSpace(width, height int, pix []byte) []octave {
	var levels [256]float32
	for v := range levels {
		levels[v] = float32(v) / 255
	}
	base := s.image(width, height)
	for i, v := range pix {
		base.pix[i] = levels[v]
	}
	first := s.blurred(base, math.Sqrt(firstSigma*firstSigma-givenSigma*givenSigma), nil)
	var octaves []octave
	for step := float32(1); min(first.width, first.height) >= smallestMin; step *= 2 {
		o := octave{step: step}
		o.blurred[0] = first
		for i := 1; i < len(o.blurred); i++ {
			before := firstSigma * math.Pow(2, float64(i-1)/intervals)
			after := firstSigma * math.Pow(2, float64(i)/intervals)
			o.diff[i-1] = s.image(first.width, first.height)
			o.blurred[i] = s.blurred(o.blurred[i-1], math.Sqrt(after*after-before*before), o.diff[i-1].pix)
		}
		octaves = append(octaves, o)
		first = s.halved(o.blurred[intervals])
	}
	return octaves
}

// blurred writes what the blur changes to diff, where that is not nil.
func (s *space) blurred(m image, sigma float64, diff []float32) image {
	radius := int(math.Ceil(3 * sigma))
	half, sum := make([]float32, radius+1), 0.0
	for k := range half {
		w := math.Exp(-float64(k*k) / (2 * sigma * sigma))
		half[k] = float32(w)
		sum += w
		if k > 0 {
			sum += w
		}
	}
	for k := range half {
		half[k] /= float32(sum)
	}
	out, line := s.image(m.width, m.height), make([]float32, m.width+2*radius)
	C.kp_blur((*C.float)(&m.pix[0]), (*C.float)(&out.pix[0]), (*C.float)(unsafe.SliceData(diff)), (*C.float)(&line[0]), C.int(m.width), C.int(m.height),
		(*C.float)(&half[0]), C.int(radius))
	return out
}

// halved takes every other pixel.
func (s *space) halved(m image) image {
	h := s.image(m.width/2, m.height/2)
	for y := range h.height {
		for x := range h.width {
			h.pix[y*h.width+x] = m.at(2*x, 2*y)
		}
	}
	return h
}
