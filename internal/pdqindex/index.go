package pdqindex

import (
	"cmp"
	"runtime"
	"slices"
	"sync"

	"moderator/internal/hugepage"
	"moderator/internal/pdq"
)

// Index is hashes in memory, each known by its ID: 0, 1, 2, … in the order of Add. It is safe for concurrent use.
//
// Hashes that were removed keep their 32 bytes, and their postings until these are merged again.
type Index struct {
	mu      sync.RWMutex // of what follows; what a reader took under it stays valid
	chunks  []*chunk     // in memory of the Arrays
	memory  []*hugepage.Array[chunk]
	n       int
	removed int
	parts   [parts][]*segment // in the order of IDs, without gaps
	merging bool
	merges  sync.WaitGroup
}

// Neighbour is a hash near a query.
type Neighbour struct {
	ID       uint32
	Distance int // bits
}

// Len is the number of hashes that were added and not removed.
func (x *Index) Len() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.n - x.removed
}

// Bytes is the memory that the index takes.
func (x *Index) Bytes() int64 {
	x.mu.RLock()
	defer x.mu.RUnlock()
	size := int64(len(x.chunks)) * chunkBytes
	for _, segments := range x.parts {
		for _, s := range segments {
			size += int64(len(s.starts.Values))*4 + int64(len(s.ids.Values))
		}
	}
	return size
}

// Add adds hashes and returns the ID of the first. The others' follow it.
func (x *Index) Add(hashes ...pdq.Hash) (first uint32) {
	x.mu.Lock()
	defer x.mu.Unlock()
	first = uint32(x.n)
	for _, h := range hashes {
		if x.n%chunkSize == 0 {
			memory := hugepage.Make[chunk](1)
			x.memory, x.chunks = append(x.memory, memory), append(x.chunks, &memory.Values[0])
		}
		x.chunks[x.n/chunkSize].hashes[x.n%chunkSize] = h
		x.n++
	}
	if !x.merging && x.n-x.merged() >= tailLimit {
		x.merging = true
		x.merges.Go(x.merge)
	}
	return first
}

// Remove takes a hash out. It panics if no hash has the ID; one that is removed already stays so.
func (x *Index) Remove(id uint32) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if int(id) >= x.n {
		panic("pdqindex: remove: no hash has this ID")
	}
	if x.chunks[id/chunkSize].remove(id % chunkSize) {
		x.removed++
	}
}

// Wait returns when no merge is running. An Index whose Add is not called any more needs no merge after it.
func (x *Index) Wait() { x.merges.Wait() }

// Within returns the hashes that differ from the query in at most so many bits, the nearest first.
//
// Up to pdq.MaxDistance bits it looks into postings; beyond, it compares all hashes.
func (x *Index) Within(query pdq.Hash, bits int) []Neighbour {
	s := search{query: words(query), bits: bits}
	x.mu.RLock()
	s.chunks, s.parts = x.chunks, x.parts
	n, from := uint32(x.n), uint32(x.merged())
	x.mu.RUnlock()

	if radius, ok := radii(bits); ok && from > 0 {
		s.postings(radius)
	} else {
		from = 0
	}
	s.scan(from, n)
	runtime.KeepAlive(x) // and with it the chunks
	slices.SortFunc(s.found, func(a, b Neighbour) int { return cmp.Or(a.Distance-b.Distance, cmp.Compare(a.ID, b.ID)) })
	return slices.Compact(s.found) // one that is near in several parts was found in each
}
