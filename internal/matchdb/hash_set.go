package matchdb

import (
	"bytes"
	"cmp"
	"slices"
	"sync"

	"github.com/google/uuid"

	"moderator/internal/pdq"
	"moderator/internal/pdqindex"
)

// hashSet is the index of all flags' PDQ hashes, with the flag and the bank of each of its IDs. Hashes are added in batches, and
// found once flush has returned.
type hashSet struct {
	pdqindex.Index
	mu    sync.RWMutex
	flags [][]hashedFlag // by ID, in pieces: one slice would be copied to grow
	batch []pdq.Hash
}

type hashedFlag struct {
	image uuid.UUID
	bank  int32
}

// hashPiece is how many flags a piece has, and a batch at most.
const hashPiece = 1 << 15

// Bytes is the memory that the set takes.
func (s *hashSet) Bytes() int64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.Index.Bytes() + int64(len(s.flags))*hashPiece*20
}

// add may be called by one goroutine at a time.
func (s *hashSet) add(image uuid.UUID, bank int32, h pdq.Hash) {
	s.mu.Lock()
	if n := len(s.flags); n == 0 || len(s.flags[n-1]) == hashPiece {
		s.flags = append(s.flags, make([]hashedFlag, 0, hashPiece))
	}
	last := &s.flags[len(s.flags)-1]
	*last = append(*last, hashedFlag{image, bank})
	s.mu.Unlock()
	if s.batch = append(s.batch, h); len(s.batch) == hashPiece {
		s.flush()
	}
}

func (s *hashSet) flush() {
	s.Index.Add(s.batch...)
	s.batch = s.batch[:0]
}

// hashNeighbour is a flag with a hash near to a query.
type hashNeighbour struct {
	hashedFlag
	pdqindex.Neighbour
}

// within returns the flags that have a hash within the query's bits: of each bank at most so many, the nearest first. cut says that a
// bank has more.
func (s *hashSet) within(q pdq.Hash, bits, most int) (near []hashNeighbour, cut bool) {
	found := s.Index.Within(q, bits)
	s.mu.RLock()
	for _, n := range found {
		near = append(near, hashNeighbour{s.flags[n.ID/hashPiece][n.ID%hashPiece], n})
	}
	s.mu.RUnlock()
	slices.SortFunc(near, func(a, b hashNeighbour) int {
		return cmp.Or(a.Distance-b.Distance, bytes.Compare(a.image[:], b.image[:]))
	})
	dropped, of := map[uuid.UUID]bool{}, map[int32]int{}
	near = slices.DeleteFunc(near, func(n hashNeighbour) bool {
		if _, another := dropped[n.image]; !another { // view of the flag
			of[n.bank]++
			dropped[n.image] = of[n.bank] > most
		}
		cut = cut || dropped[n.image]
		return dropped[n.image]
	})
	return near, cut
}

// remove takes out those of the neighbours whose flags are deleted. A flag that comes back has other IDs then.
func (s *hashSet) remove(near [][]hashNeighbour, deleted []uuid.UUID) {
	if len(deleted) == 0 {
		return
	}
	isDeleted := map[uuid.UUID]bool{}
	for _, id := range deleted {
		isDeleted[id] = true
	}
	for _, of := range near {
		for _, n := range of {
			if isDeleted[n.image] {
				s.Index.Remove(n.ID)
			}
		}
	}
}

// outgrown reports whether more was removed than is left.
func (s *hashSet) outgrown() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := 0
	for _, piece := range s.flags {
		all += len(piece)
	}
	removed := all - s.Len()
	return removed > mostRemoved && removed > all/2
}
