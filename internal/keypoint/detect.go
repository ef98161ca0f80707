package keypoint

// #cgo noescape kp_extremes
// #cgo nocallback kp_extremes
// #include "extreme.h"
import "C"

import (
	"math"
	"runtime"
	"slices"
)

// A point must stand out from its surroundings, and in both directions: one along an edge could be anywhere on it.
const (
	minContrast = 0.008 // of black to white; a third of the paper's, as blurred and faint copies are wanted too
	maxEdge     = 10    // ratio of the principal curvatures
)

// extremum is a point of scale space that is above or below all its neighbours.
type extremum struct {
	octave, interval int
	x, y, scale      float32 // in the octave's pixels; scale is the blur's sigma
	contrast         float32
}

// extrema finds them all.
func (s *space) extrema(octaves []octave) []extremum {
	var found []extremum
	for o := range octaves {
		for i := 1; i <= intervals; i++ {
			found = s.extremaOf(&octaves[o], o, i, found)
		}
	}
	return found
}

// border is left out: descriptions would reach over the edge.
const border = 4

func (s *space) extremaOf(o *octave, number, interval int, found []extremum) []extremum {
	here := o.blurred[interval]
	contrast := 0.8 * minContrast * 255 * perLevel
	least := C.int(contrast)
	var planes [4]*C.int16_t
	for i := range planes {
		planes[i] = (*C.int16_t)(&o.blurred[interval-1+i].pix[0])
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(planes[0]) // all are in one slice
	n := C.kp_extremes(&planes[0], C.int(here.width), C.int(here.height), border, least, s.lines(3*(here.width+16)),
		(*C.int32_t)(&s.places[0]))
	for _, place := range s.places[:n] {
		if e, ok := o.refine(interval, int(place)%here.width, int(place)/here.width); ok {
			e.octave = number
			found = append(found, e)
		}
	}
	return found
}

// refine places the extremum between the pixels, where the parabola through its neighbours has it (section 4 of the paper),
// and refuses faint ones and edges.
func (o *octave) refine(interval, x, y int) (extremum, bool) {
	here := o.around(interval, x, y)
	v := here[1][1]
	dxx, dyy := here[1][2]+here[1][0]-2*v, here[2][1]+here[0][1]-2*v
	dxy := (here[2][2] - here[2][0] - here[0][2] + here[0][0]) / 4
	trace, det := dxx+dyy, dxx*dyy-dxy*dxy
	if det <= 0 || trace*trace*maxEdge >= (maxEdge+1)*(maxEdge+1)*det {
		return extremum{}, false
	}
	below, above := o.around(interval-1, x, y), o.around(interval+1, x, y)
	dx, dy, ds := (here[1][2]-here[1][0])/2, (here[2][1]-here[0][1])/2, (above[1][1]-below[1][1])/2
	dss := above[1][1] + below[1][1] - 2*v
	dxs := (above[1][2] - above[1][0] - below[1][2] + below[1][0]) / 4
	dys := (above[2][1] - above[0][1] - below[2][1] + below[0][1]) / 4
	// Cramer's rule for the offset: H offset = -gradient.
	a, b, c := dyy*dss-dys*dys, dxs*dys-dxy*dss, dxy*dys-dyy*dxs
	all := dxx*a + dxy*b + dxs*c
	if all == 0 {
		return extremum{}, false
	}
	ox := -(dx*a + dy*b + ds*c) / all
	oy := -(dx*b + dy*(dxx*dss-dxs*dxs) + ds*(dxy*dxs-dxx*dys)) / all
	os := -(dx*c + dy*(dxy*dxs-dxx*dys) + ds*det) / all
	if math.Abs(ox) > 1 || math.Abs(oy) > 1 || math.Abs(os) > 1 {
		return extremum{}, false
	}
	contrast := math.Abs(v + (dx*ox+dy*oy+ds*os)/2)
	if contrast < minContrast {
		return extremum{}, false
	}
	return extremum{
		interval: interval, x: float32(float64(x) + ox), y: float32(float64(y) + oy),
		scale: float32(firstSigma * math.Pow(2, (float64(interval)+os)/intervals)), contrast: float32(contrast),
	}, true
}

// cells is the number of cells along each axis over which the chosen points are spread: text laid over a picture is all
// contrast, and would take every place.
const cells = 8

// coarseOf is how many of three points are of the coarse octaves, while there are any: a flag that is reduced has no others, and
// a flag that is cut or covered with a pattern shows mostly fine ones.
const coarseOf = 2

// spread chooses at most n extrema, two coarse ones to a fine one. Of each kind the strongest of each cell come first, then
// the second of each, and so on.
func spread(found []extremum, octaves []octave, width, height, n int) []extremum {
	strongest := make([]uint64, len(found)) // the complement of the contrast, then the place
	for i, e := range found {
		strongest[i] = uint64(^math.Float32bits(e.contrast))<<32 | uint64(i)
	}
	slices.Sort(strongest)
	var inCell [cells * cells]int
	rank := make([]int, len(found)) // of the strongest, within the cell
	var ends []int                  // of each rank, in order
	for i, key := range strongest {
		e := &found[uint32(key)]
		step := octaves[e.octave].step
		cx, cy := int(e.x*step)*cells/width, int(e.y*step)*cells/height
		cell := min(cy, cells-1)*cells + min(cx, cells-1)
		if rank[i] = inCell[cell]; rank[i] == len(ends) {
			ends = append(ends, 0)
		}
		ends[rank[i]]++
		inCell[cell]++
	}
	order, from := make([]uint32, len(found)), 0
	for r, n := range ends {
		ends[r], from = from, from+n
	}
	for i, key := range strongest {
		order[ends[rank[i]]] = uint32(key)
		ends[rank[i]]++
	}
	var fine, coarse []extremum
	for _, i := range order {
		if octaves[found[i].octave].step*Side < float32(max(width, height)) {
			fine = append(fine, found[i])
		} else {
			coarse = append(coarse, found[i])
		}
	}
	chosen := make([]extremum, 0, n)
	for len(chosen) < n && len(fine)+len(coarse) > 0 {
		from := &fine
		if len(fine) == 0 || len(coarse) > 0 && len(chosen)%3 < coarseOf {
			from = &coarse
		}
		chosen = append(chosen, (*from)[0])
		*from = (*from)[1:]
	}
	return chosen
}
