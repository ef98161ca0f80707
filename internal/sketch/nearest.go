package sketch

import (
	"math"
	"slices"

	"github.com/google/uuid"
)

// Looked at by their bytes are the best by their signs: so many, and of large sets one in so many. Of random vectors of 256
// numbers signs leave out one in 8,000 of those whose cosine is 0.31, and hardly any that is nearer.
const (
	leastLooked = 512
	shareLooked = 32
)

// Near is what a vector is of, and about its q·r − penalty.
type Near struct {
	ID    uuid.UUID
	Score float32
}

// Nearest returns of what the k nearest vectors are, the nearest first and each once, and a bound: the q·r − penalty of any
// other vector is below it, but for what bytes cannot tell (a few thousandths). What is deleted is passed over. Where fewer than
// k are left the bound is −Inf, and where too much is deleted +Inf. A vector is missed when its signs say much less for it than is
// true.
func (s *Set) Nearest(q []float32, k int, deleted map[uuid.UUID]bool) (near []Near, bound float32) {
	s.mu.RLock()
	segments, rows := slices.Clone(s.segments), s.rows
	s.mu.RUnlock()
	if rows == 0 || k < 1 {
		return nil, float32(math.Inf(-1))
	}
	found := s.look(q).promising(segments, rows, k, deleted)
	switch {
	case found.looked-found.deleted <= k && found.looked == rows: // nothing is left
		bound = float32(math.Inf(-1))
	case len(found.rows) == k:
		bound = found.rows[k-1].score
	default: // so many of those looked at are deleted that others may be as near
		bound = float32(math.Inf(1))
	}
	named := make(map[uuid.UUID]bool, len(found.rows))
	for _, c := range found.rows {
		if !named[c.id] {
			named[c.id] = true
			near = append(near, Near{c.id, c.score})
		}
	}
	return near, bound
}

// ranked is a row with its score.
type ranked struct {
	id    uuid.UUID
	score float32
}

// best are the k nearest rows of those looked at, the nearest first, but for what is deleted, and how many were looked at and how
// many of those are deleted.
type best struct {
	k               int
	rows            []ranked
	looked, deleted int
}

func (b *best) keeps(score float32) bool { return len(b.rows) < b.k || score > b.rows[b.k-1].score }

// keep puts a row that keeps says yes to in its place. Most of those looked at have none, which is said without their id.
func (b *best) keep(row ranked) {
	if len(b.rows) < b.k {
		b.rows = append(b.rows, row)
	}
	at, end := 0, len(b.rows)-1
	for low := end; at < low; { // the first that is farther
		if middle := (at + low) / 2; b.rows[middle].score >= row.score {
			at = middle + 1
		} else {
			low = middle
		}
	}
	copy(b.rows[at+1:], b.rows[at:end])
	b.rows[at] = row
}

// add takes those of other rows, which are the nearest first as well.
func (b *best) add(more best) {
	b.looked, b.deleted = b.looked+more.looked, b.deleted+more.deleted
	for _, row := range more.rows {
		if !b.keeps(row.score) {
			return
		}
		b.keep(row)
	}
}
