package keypoint

// #cgo LDFLAGS: -lm
// #cgo noescape kp_directions
// #cgo nocallback kp_directions
// #cgo noescape kp_describe
// #cgo nocallback kp_describe
// #include "gradient.h"
import "C"

import (
	"math"
	"math/bits"
)

// Bits describe the surroundings of a point: for each of 4 x 4 cells and 8 directions, whether it holds more of the
// gradient than the median of the 128.
type Bits [2]uint64

const (
	directionBins = C.KP_DIRECTIONS
	grid          = C.KP_GRID // cells along each axis
	bins          = C.KP_BINS // directions in each cell
	samples       = C.KP_SAMPLES
	cellWidth     = 3 // in units of the point's scale
)

// directions returns the angles, in radians, from which the point is described: those of the one or two strongest gradients around it.
func directions(m image, e extremum) (angles [2]float32, n int) {
	const pad = 2 // the histogram goes on beyond its ends, as it is a circle
	var hist, smooth [pad + directionBins + pad]float32
	C.kp_directions((*C.int16_t)(&m.pix[0]), C.int(m.width), C.int(m.height), C.float(e.x), C.float(e.y), C.float(1.5*e.scale),
		(*C.float)(&hist[pad]))
	goOn := func(h *[pad + directionBins + pad]float32) {
		copy(h[:pad], h[directionBins:])
		copy(h[pad+directionBins:], h[pad:])
	}
	goOn(&hist)
	var most float32
	for i := pad; i < pad+directionBins; i++ {
		smooth[i] = (6*hist[i] + 4*(hist[i-1]+hist[i+1]) + hist[i-2] + hist[i+2]) / 16
		most = max(most, smooth[i])
	}
	goOn(&smooth)
	var heights [2]float32
	for i := pad; i < pad+directionBins; i++ {
		v, before, after := smooth[i], smooth[i-1], smooth[i+1]
		if v < 0.8*most || v <= before || v < after || v <= heights[1] {
			continue
		}
		at := float32(i-pad) + 0.5 + 0.5*(before-after)/(before-2*v+after)
		heights[1], angles[1] = v, at/directionBins*2*math.Pi
		if v > heights[0] {
			heights[0], heights[1], angles[0], angles[1] = v, heights[0], angles[1], angles[0]
		}
		n = min(n+1, len(angles))
	}
	return angles, n
}

// describe samples the gradient on a grid that is turned by the angle, and spreads each sample over the cells and directions
// next to it.
func describe(m image, e extremum, angle float32) Bits {
	sin, cos := math.Sincos(float64(angle))
	unit := sampleUnit(e.scale)
	across, down := vector{unit * float32(cos), unit * float32(sin)}, vector{-unit * float32(sin), unit * float32(cos)}
	return describeAt(m, e.x, e.y, across, down)
}

// vector is in pixels.
type vector [2]float32

// sampleUnit is how far the samples of a description lie apart, in pixels.
func sampleUnit(scale float32) float32 { return scale * cellWidth * (grid + 1) / samples }

// describeAt describes the point x, y by samples whose rows and columns lie as across and down say.
func describeAt(m image, x, y float32, across, down vector) (bits Bits) {
	C.kp_describe((*C.int16_t)(&m.pix[0]), C.int(m.width), C.int(m.height), C.float(x), C.float(y), (*C.float)(&across[0]), (*C.float)(&down[0]),
		(*C.float)(&window[0][0]), (*C.uint64_t)(&bits[0]))
	return bits
}

// window weighs the samples of a description: a Gaussian of half its width.
var window = func() (w [samples][samples]float32) {
	for j := range w {
		for i := range w[j] {
			u, v := float32(i)-(samples-1)/2.0, float32(j)-(samples-1)/2.0
			w[j][i] = gaussian((u*u + v*v) / (2 * 4.8 * 4.8))
		}
	}
	return w
}()

func gaussian(x float32) float32 { return float32(math.Exp(-float64(x))) }

// A row of cells is 32 bits and a cell is 8, so what the edits do to a description is done to its words.

// mirrored is the description of the same point in the mirrored picture: rows change places, and directions their sense. The bin's
// number is its lower edge (a sample at bin 0.0 counts for bin 0 alone), so -k is its image.
func (b Bits) mirrored() Bits {
	return Bits{mirroredCells(bits.RotateLeft64(b[1], 32)), mirroredCells(bits.RotateLeft64(b[0], 32))}
}

func mirroredCells(w uint64) uint64 {
	const lowest = 0x0101010101010101
	w = bits.ReverseBytes64(bits.Reverse64(w)) // in each cell k is 7-k
	return w<<1&^lowest | w>>7&lowest
}

// inverted is the description of the same point in the negative, whose direction is the opposite: all turned by half.
func (b Bits) inverted() Bits { return Bits{bits.ReverseBytes64(b[1]), bits.ReverseBytes64(b[0])} }
