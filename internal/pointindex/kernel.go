package pointindex

// #cgo CFLAGS: -O3
// #cgo noescape pi_project
// #cgo nocallback pi_project
// #cgo noescape pi_flips
// #cgo nocallback pi_flips
// #cgo noescape pi_probe
// #cgo nocallback pi_probe
// #cgo noescape pi_look
// #cgo nocallback pi_look
// #include "kernel.h"
import "C"

import (
	"unsafe"

	"moderator/internal/keypoint"
)

// Projections is how many are made of a description.
const Projections = C.PI_DIMS

// Both languages have the same numbers.
const (
	weakest    = C.PI_WEAKEST
	mostProbes = C.PI_MOST_PROBES
	_          = uint(C.PI_PARTITIONS-partitions) + uint(partitions-C.PI_PARTITIONS)
	_          = uint(C.PI_PART_DIMS-partDims) + uint(partDims-C.PI_PART_DIMS)
)

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

// ask is a bucket to be looked into for a point: which bits of its code are flipped. struct pi_ask.
type ask struct{ point, flip uint32 }

// flipSet is a set of flips: an earlier set's, and one of the weakest projections more. struct pi_set.
type flipSet struct{ of, with uint32 }

// near is an entry near to a point: struct pi_hit.
type near struct{ at, query, distance uint32 }

// Both languages have the same structs.
var (
	_ = [1]struct{}{}[unsafe.Sizeof(ask{})-C.sizeof_struct_pi_ask]
	_ = [1]struct{}{}[unsafe.Sizeof(flipSet{})-C.sizeof_struct_pi_set]
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

// flipped writes to flips which of the first n projections have other signs in the buckets that are looked into, a bit each: the first
// is none.
func flipped(z []int16, n int, flips []uint32) {
	C.pi_flips((*C.int16_t)(&z[0]), C.int(n), (*C.struct_pi_set)(unsafe.Pointer(&flipSets[0])), C.int(len(flips)), (*C.uint32_t)(&flips[0]))
}

// probes writes the buckets of all points by partition, each of each point. n projections choose one.
func (q *query) probes(n, each int, s *scratch) {
	if need := len(q.points) * each; len(s.asks) < need {
		s.asks, s.flips = make([]ask, need), make([]uint32, need)
	}
	C.pi_probe((*C.int16_t)(&q.z[0]), (*C.uint32_t)(&q.parts[0]), C.int(len(q.points)), C.int(n), (*C.struct_pi_set)(unsafe.Pointer(&flipSets[0])),
		C.int(each), (*C.uint32_t)(&s.flips[0]), (*C.struct_pi_ask)(unsafe.Pointer(&s.asks[0])), (*C.uint32_t)(&s.starts[0]))
}

// near writes to found the places of the frozen codes near to those that are asked for, as many as it has room for, and returns how many.
func (p *partition) near(asks []ask, queries []uint64, limit int, found []near) int {
	if len(p.codes.Values) == 0 || len(asks) == 0 {
		return 0
	}
	return int(C.pi_look((*C.uint64_t)(&p.codes.Values[0]), (*C.uint32_t)(&p.starts.Values[0]), C.int(p.bits),
		(*C.struct_pi_ask)(unsafe.Pointer(&asks[0])), C.int(len(asks)), (*C.uint64_t)(&queries[0]), C.int(limit),
		(*C.struct_pi_hit)(unsafe.Pointer(&found[0])), C.int(len(found)-1)))
}
