package pointindex

// #cgo CFLAGS: -O3
// #cgo noescape pi_project
// #cgo nocallback pi_project
// #cgo noescape pi_scan
// #cgo nocallback pi_scan
// #include "kernel.h"
import "C"

import (
	"unsafe"

	"moderator/internal/keypoint"
)

// Projections is how many are made of a description.
const Projections = C.PI_DIMS

const width = C.PI_WIDTH // Projections, padded for the kernel

// spot is of which flag an entry is, and where in it.
type spot struct {
	flag               uint32
	x, y, angle, scale uint8
}

// entry is a point of a flag.
type entry struct {
	code uint64
	spot spot
}

// span is a bucket that is looked into for a point: struct pi_span.
type span struct{ from, to, query uint32 }

// near is an entry near to a point: struct pi_hit.
type near struct{ at, query, distance uint32 }

// Both languages have the same structs.
var (
	_ = [1]struct{}{}[unsafe.Sizeof(span{})-C.sizeof_struct_pi_span]
	_ = [1]struct{}{}[unsafe.Sizeof(near{})-C.sizeof_struct_pi_hit]
)

// projected are the projections of points, width numbers each, in the unit of Noise.
func projected(points []keypoint.Point) []int16 {
	if len(points) == 0 {
		return nil
	}
	bits := make([]uint64, 0, 2*len(points))
	for i := range points {
		bits = append(bits, points[i].Bits[0], points[i].Bits[1])
	}
	out := make([]int16, width*len(points))
	C.pi_project((*C.uint64_t)(&bits[0]), C.int(len(points)), (*C.int16_t)(&sums[0]), (*C.int16_t)(&out[0]))
	return out
}

// scan writes the places of the codes in the spans within limit bits of those that they are looked for, as many as found
// has room for, and returns how many.
func scan(codes []uint64, spans []span, queries []uint64, limit int, found []near) int {
	if len(codes) == 0 || len(spans) == 0 {
		return 0
	}
	return int(C.pi_scan((*C.uint64_t)(&codes[0]), (*C.struct_pi_span)(unsafe.Pointer(&spans[0])), C.int(len(spans)),
		(*C.uint64_t)(&queries[0]), C.int(limit), (*C.struct_pi_hit)(unsafe.Pointer(&found[0])), C.int(len(found))))
}
