package pdqindex

// #cgo CFLAGS: -O3
// #cgo noescape pdqindex_scan
// #cgo nocallback pdqindex_scan
// #include "scan.h"
import "C"

import (
	"runtime"
	"unsafe"
)

// Parts of 23 bits: with fewer, longer parts a query flips more bits in each; with more, shorter ones more hashes share a
// bucket, and each has more postings.
const (
	parts     = 11
	partBits  = 23
	maxRadius = 2 // bits that are flipped in a part
)

// radii says how many bits are to be flipped in each part, so that no hash within the bits is missed: a hash that differs in
// more than r bits of each part differs in at least Σ(r+1). Not ok where more than maxRadius would be needed; a radius of -1
// leaves the part out.
func radii(bits int) (r [parts]int, ok bool) {
	for p := range r {
		r[p] = -1
	}
	for i := range bits + 1 {
		if i/parts > maxRadius {
			return r, false
		}
		r[i%parts]++
	}
	return r, true
}

// search is one query under way.
type search struct {
	query  code
	bits   int
	chunks []*chunk
	parts  [parts][]*segment
	found  []Neighbour
}

// postings looks into the buckets around the query's, in three passes of one kind of memory access each: the processor
// waits for many at once.
func (s *search) postings(radius [parts]int) {
	type span struct{ from, to uint32 }
	var spans []span
	var candidates []uint32
	for p, segments := range s.parts {
		key := s.query.part(p)
		for _, g := range segments {
			spans, candidates = spans[:0], candidates[:0]
			starts := g.starts.Values
			short := key & (1<<g.bits - 1)
			for _, flip := range flips(g.bits, radius[p]) {
				at := short ^ flip
				spans = append(spans, span{starts[at], starts[at+1]})
			}
			for _, b := range spans {
				for i := b.from; i < b.to; i++ {
					candidates = append(candidates, g.id(i))
				}
			}
			for _, id := range candidates {
				s.check(id)
			}
			runtime.KeepAlive(g)
		}
	}
}

func (s *search) scan(from, to uint32) {
	for from < to {
		c, first := s.chunks[from/chunkSize], from%chunkSize
		end := min(chunkSize, first+to-from)
		hashes := (*C.uint64_t)(unsafe.Pointer(&c.hashes))
		for i := first; ; i++ {
			i = uint32(C.pdqindex_scan(hashes, C.uint32_t(i), C.uint32_t(end), (*C.uint64_t)(&s.query[0]), C.int(s.bits)))
			if i >= end {
				break
			}
			s.check(from + i - first)
		}
		from += end - first
	}
}

func (s *search) check(id uint32) {
	c := s.chunks[id/chunkSize]
	if d := s.query.distance(&c.hashes[id%chunkSize]); d <= s.bits && !c.isDeleted(id%chunkSize) {
		s.found = append(s.found, Neighbour{id, d})
	}
}

// flips are the differences of at most so many bits, of keys of so many bits.
func flips(bits, radius int) []uint32 { return flipsOf[bits][:flipsWithin[bits][radius+1]] }

var flipsOf, flipsWithin = func() (all [partBits + 1][]uint32, within [partBits + 1][maxRadius + 2]int) {
	for bits := range all {
		all[bits] = []uint32{0}
		within[bits][1] = 1
		for i := range bits {
			all[bits] = append(all[bits], 1<<i)
		}
		within[bits][2] = len(all[bits])
		for i := range bits {
			for j := range i {
				all[bits] = append(all[bits], 1<<i|1<<j)
			}
		}
		within[bits][3] = len(all[bits])
	}
	return all, within
}()
