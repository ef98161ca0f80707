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

// Set is hashes in memory, each of a picture of some group. A query is held against all of them, in a little more than a
// nanosecond each: none is missed. It takes 52 bytes a hash. It is safe for concurrent use.
type Set struct {
	mu       sync.RWMutex // of the slices below; hashes that were added never change
	hashes   []Hash
	pictures []picture // whose they are
}

type picture struct {
	id    uuid.UUID
	group int32
}

// Len is the number of hashes.
func (s *Set) Len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.hashes)
}

// Bytes is the memory that the hashes take.
func (s *Set) Bytes() int64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return int64(cap(s.hashes))*int64(unsafe.Sizeof(Hash{})) + int64(cap(s.pictures))*int64(unsafe.Sizeof(picture{}))
}

// Add adds a hash of the picture of a group that the id names.
func (s *Set) Add(id uuid.UUID, group int32, h Hash) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hashes, s.pictures = append(s.hashes, h), append(s.pictures, picture{id, group})
}

// Query asks for hashes that differ in at most so many bits.
type Query struct {
	Hash Hash
	Bits int
}

// chunk is so many hashes as are held against every query while they are in the CPU's nearest cache.
const chunk = 512

// Within returns for each query the pictures that have a hash within its bits: of each group at most so many, the nearest
// first. What is deleted is passed over. cut says that a group had more.
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

// nearest is what a query found, and now and then only the best of it: there may be a million copies of one picture.
type nearest struct {
	all  []neighbour
	kept int // of all, when it was last thinned
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

// thin leaves of each group the nearest pictures, each once.
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
