package keypoint

// #cgo CFLAGS: -O3
// #include "blur.h"
import "C"

import "math"

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

func newImage(width, height int) image { return image{width, height, make([]float32, width*height)} }

func (m image) at(x, y int) float32 { return m.pix[y*m.width+x] }

// octave is one resolution: blurred planes, each 2^(1/intervals) times as blurred as the one before, and their differences.
type octave struct {
	step    float32 // pixels of the given plane for one of the octave
	blurred [intervals + 3]image
	diff    [intervals + 2]image
}

// scaleSpace makes the octaves of a plane of bytes.
func scaleSpace(width, height int, pix []byte) []octave {
	base := newImage(width, height)
	for i, v := range pix {
		base.pix[i] = float32(v) / 255
	}
	first := base.blur(math.Sqrt(firstSigma*firstSigma - givenSigma*givenSigma))
	var octaves []octave
	for step := float32(1); min(first.width, first.height) >= smallestMin; step *= 2 {
		o := octave{step: step}
		o.blurred[0] = first
		for i := 1; i < len(o.blurred); i++ {
			before := firstSigma * math.Pow(2, float64(i-1)/intervals)
			after := firstSigma * math.Pow(2, float64(i)/intervals)
			o.blurred[i] = o.blurred[i-1].blur(math.Sqrt(after*after - before*before))
			o.diff[i-1] = o.blurred[i].minus(o.blurred[i-1])
		}
		octaves = append(octaves, o)
		first = o.blurred[intervals].halved()
	}
	return octaves
}

func (m image) blur(sigma float64) image {
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
	out, line := newImage(m.width, m.height), make([]float32, m.width+2*radius)
	C.kp_blur((*C.float)(&m.pix[0]), (*C.float)(&out.pix[0]), (*C.float)(&line[0]), C.int(m.width), C.int(m.height),
		(*C.float)(&half[0]), C.int(radius))
	return out
}

func (m image) minus(o image) image {
	d := newImage(m.width, m.height)
	C.kp_subtract((*C.float)(&d.pix[0]), (*C.float)(&m.pix[0]), (*C.float)(&o.pix[0]), C.size_t(len(d.pix)))
	return d
}

// halved takes every other pixel.
func (m image) halved() image {
	h := newImage(m.width/2, m.height/2)
	for y := range h.height {
		for x := range h.width {
			h.pix[y*h.width+x] = m.at(2*x, 2*y)
		}
	}
	return h
}
