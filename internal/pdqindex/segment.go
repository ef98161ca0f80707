package pdqindex

import (
	"encoding/binary"
	"math/bits"

	"moderator/internal/hugepage"
)

const (
	tailLimit = 1 << 14 // hashes that are compared one by one before they are merged
	growth    = 4       // a segment is merged with the next once that has a fourth of its hashes
	minBits   = 8
	maxBits   = 21      // of partBits
	mostIDs   = 1 << 24 // of a segment, in three bytes each
	idBytes   = 3
	idMask    = mostIDs - 1
)

// segment is the postings of one part of the hashes with IDs from `from` up to `to`.
type segment struct {
	from, to uint32
	bits     int                     // of the part that are the key
	starts   *hugepage.Array[uint32] // of each key's IDs, and the end of the last's
	ids      *hugepage.Array[byte]   // less from, idBytes each and a byte more
}

// id is the i-th, for which a byte more than it has is read.
func (s *segment) id(i uint32) uint32 {
	return s.from + binary.LittleEndian.Uint32(s.ids.Values[idBytes*uint64(i):])&idMask
}

func (s *segment) setID(i, id uint32) {
	id -= s.from
	at := s.ids.Values[idBytes*uint64(i):]
	at[0], at[1], at[2] = byte(id), byte(id>>8), byte(id>>16)
}

// newSegment sorts the hashes by their keys, by counting.
func newSegment(chunks []*chunk, part int, from, to uint32) *segment {
	// One or two hashes a key: fewer would need more memory for starts than for IDs.
	s := &segment{from: from, to: to, bits: min(maxBits, max(minBits, bits.Len32(to-from)-1))}
	s.starts, s.ids = hugepage.Make[uint32](1<<s.bits+1), hugepage.Make[byte](idBytes*int(to-from)+1)
	starts := s.starts.Values
	mask := uint32(1)<<s.bits - 1
	each := func(f func(id, key uint32)) {
		for id := from; id < to; id++ {
			c := chunks[id/chunkSize]
			w := words(c.hashes[id%chunkSize])
			f(id, w.part(part)&mask)
		}
	}
	each(func(_, key uint32) { starts[key+1]++ })
	for k := range len(starts) - 1 {
		starts[k+1] += starts[k]
	}
	// starts[k] moves to the end of k's IDs, which is the start of the next.
	each(func(id, key uint32) {
		s.setID(starts[key], id)
		starts[key]++
	})
	copy(starts[1:], starts)
	starts[0] = 0
	return s
}

// merged is how many hashes are in segments of every part.
func (x *Index) merged() int {
	least := x.n
	for _, segments := range x.parts {
		if len(segments) == 0 {
			return 0
		}
		least = min(least, int(segments[len(segments)-1].to))
	}
	return least
}

// merge makes segments of the tail until it is short.
func (x *Index) merge() {
	for {
		x.mu.Lock()
		chunks, to, from := x.chunks, uint32(x.n), x.merged()
		if int(to)-from < tailLimit {
			x.merging = false
			x.mu.Unlock()
			return
		}
		before := x.parts
		x.mu.Unlock()

		for p, segments := range before {
			kept := len(segments)
			first := uint32(from)
			for kept > 0 && segments[kept-1].to-segments[kept-1].from < growth*(to-first) && to-segments[kept-1].from <= mostIDs {
				kept--
				first = segments[kept].from
			}
			replaced := append(segments[:kept:kept], newSegment(chunks, p, first, to))
			x.mu.Lock()
			x.parts[p] = replaced
			x.mu.Unlock()
		}
	}
}
