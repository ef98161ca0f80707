package pointindex

import (
	"math/bits"
	"unsafe"

	"moderator/internal/hugepage"
)

// partition is the entries whose points have the same signs in the first projections. Entries that are added go to the
// delta; once that has a share of the frozen ones, both are merged.
type partition struct {
	codes  *hugepage.Array[uint64] // of the frozen entries, by bucket
	spots  *hugepage.Array[spot]
	starts *hugepage.Array[uint32] // of each bucket, and the end of the last
	bits   int                     // of the code that choose the bucket

	delta []link
	heads []int32 // of each bucket's list in the delta; -1 is its end
}

// link is an entry and the next one of its bucket.
type link struct {
	entry
	next int32
}

const (
	mergeShare = 8    // a delta is merged once it has an eighth of the frozen entries,
	mergeLeast = 2048 // and no fewer than these
)

func (p *partition) bucket(code uint64) uint32 { return uint32(code & (1<<p.bits - 1)) }

func (p *partition) insert(e entry) {
	if p.heads == nil {
		p.heads = make([]int32, 1<<p.bits)
		for i := range p.heads {
			p.heads[i] = -1
		}
	}
	at := p.bucket(e.code)
	p.delta = append(p.delta, link{e, p.heads[at]})
	p.heads[at] = int32(len(p.delta) - 1)
}

// overflows tells whether the delta and so many more entries are to be merged.
func (p *partition) overflows(more int) bool {
	return len(p.delta)+more >= max(mergeLeast, len(p.codes.Values)/mergeShare)
}

// merged is the partition with the delta's and more entries among the frozen ones, without those of flags that are deleted.
func (p *partition) merged(more []entry, deleted func(flag uint32) bool) *partition {
	n := 0
	p.each(more, deleted, func(uint64, spot) { n++ })
	m := newPartition(n)
	starts := m.starts.Values
	p.each(more, deleted, func(code uint64, _ spot) { starts[m.bucket(code)+1]++ })
	for k := range len(starts) - 1 {
		starts[k+1] += starts[k]
	}
	// starts[k] moves to the end of k's entries, which is the start of the next.
	p.each(more, deleted, func(code uint64, s spot) {
		at := &starts[m.bucket(code)]
		m.codes.Values[*at], m.spots.Values[*at] = code, s
		*at++
	})
	copy(starts[1:], starts)
	starts[0] = 0
	return m
}

// each calls f with every entry, and more, whose flag is not deleted.
func (p *partition) each(more []entry, deleted func(flag uint32) bool, f func(uint64, spot)) {
	for i, s := range p.spots.Values {
		if !deleted(s.flag) {
			f(p.codes.Values[i], s)
		}
	}
	for i := range p.delta {
		if e := &p.delta[i].entry; !deleted(e.spot.flag) {
			f(e.code, e.spot)
		}
	}
	for _, e := range more {
		if !deleted(e.spot.flag) {
			f(e.code, e.spot)
		}
	}
}

// More bits choose buckets with fewer entries, but each needs a look-up: at a million flags 16 bits, which leave 16 entries a
// bucket, found more copies in the same time than 18 and 20.
const (
	leastBits = 8 // before the first merge too
	mostBits  = 16
)

// newPartition has room for n frozen entries, at least two a bucket.
func newPartition(n int) *partition {
	p := &partition{bits: min(mostBits, max(leastBits, bits.Len(uint(n))-2))}
	p.codes, p.spots, p.starts = hugepage.Make[uint64](n), hugepage.Make[spot](n), hugepage.Make[uint32](1<<p.bits+1)
	return p
}

// size is in bytes.
func (p *partition) size() int64 {
	return int64(len(p.codes.Values))*16 + int64(len(p.starts.Values)+cap(p.heads))*4 + int64(cap(p.delta))*int64(unsafe.Sizeof(link{}))
}
