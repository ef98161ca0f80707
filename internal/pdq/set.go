package pdq

// #cgo CFLAGS: -O3
// #cgo noescape pdq_within
// #cgo nocallback pdq_within
// #include "within.h"
import "C"

import (
	"bytes"
	"cmp"
	"slices"
	"sync"
	"unsafe"

	"github.com/google/uuid"
)

// Set holds hashes in memory, each with its picture and the picture's group. A query compares all of them, in a little more
// than a nanosecond each, so that it misses none. A hash takes 52 bytes. A Set is safe for concurrent use.
type Set struct {
	mu       sync.RWMutex // guards the slices; their elements never change
	hashes   []Hash
	pictures []picture // of hashes
}

type picture struct {
	id    uuid.UUID
	group int32
}

// Len returns the number of hashes.
func (s *Set) Len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.hashes)
}

// Bytes returns the memory of the set in bytes.
func (s *Set) Bytes() int64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return int64(cap(s.hashes))*int64(unsafe.Sizeof(Hash{})) + int64(cap(s.pictures))*int64(unsafe.Sizeof(picture{}))
}

// Add adds a hash of the picture id in the group. A picture may have several hashes.
func (s *Set) Add(id uuid.UUID, group int32, h Hash) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hashes, s.pictures = append(s.hashes, h), append(s.pictures, picture{id, group})
}

// Query searches for hashes that differ from Hash in at most Bits bits.
type Query struct {
	Hash Hash
	Bits int
}

// chunk is the number of hashes that all queries compare while they are in the CPU's L1 cache.
const chunk = 512

// Within returns for each query the pictures with a hash within its distance, nearest first: at most most of each group,
// without those in deleted. cut means that a group had more.
func (s *Set) Within(qs []Query, most int, deleted map[uuid.UUID]bool) (found [][]uuid.UUID, cut bool) {
	s.mu.RLock()
	hashes, pictures := s.hashes, s.pictures
	s.mu.RUnlock()
	near := make([]nearest, len(qs))
	var places [chunk]C.uint32_t
	for from := 0; from < len(hashes); from += chunk {
		part := hashes[from:min(from+chunk, len(hashes))]
		for i, q := range qs {
			n := C.pdq_within((*C.uint8_t)(&part[0][0]), C.size_t(len(part)), (*C.uint8_t)(&q.Hash[0]), C.int(q.Bits), &places[0])
			for _, at := range places[:n] {
				if of := pictures[from+int(at)]; !deleted[of.id] {
					near[i].add(neighbour{of, part[at].Distance(q.Hash)}, most)
				}
			}
		}
	}
	found = make([][]uuid.UUID, len(qs))
	for i := range near {
		near[i].thin(most)
		cut = cut || near[i].cut
		for _, n := range near[i].all {
			found[i] = append(found[i], n.id)
		}
	}
	return found, cut
}

// nearest collects a query's results. It is thinned from time to time, because a library may have a million copies of one
// picture.
type nearest struct {
	all  []neighbour
	kept int // length of all after it was last thinned
	cut  bool
}

type neighbour struct {
	picture
	distance int
}

func (n *nearest) add(one neighbour, most int) {
	n.all = append(n.all, one)
	if len(n.all) > 2*n.kept+1000 {
		n.thin(most)
	}
}

// thin keeps the nearest pictures of each group, without duplicates.
func (n *nearest) thin(most int) {
	slices.SortFunc(n.all, func(a, b neighbour) int {
		return cmp.Or(a.distance-b.distance, bytes.Compare(a.id[:], b.id[:]))
	})
	seen, of := map[uuid.UUID]bool{}, map[int32]int{}
	n.all = slices.DeleteFunc(n.all, func(one neighbour) bool {
		if seen[one.id] {
			return true
		}
		seen[one.id] = true
		of[one.group]++
		n.cut = n.cut || of[one.group] > most
		return of[one.group] > most
	})
	n.kept = len(n.all)
}
