package sketch

import (
	"runtime"

	"github.com/google/uuid"
)

// collectAfter is how many segments are replaced before their memory, which Go does not see, is given back.
const collectAfter = 32

// Purge takes out the vectors of what is deleted, a segment at a time: little memory is needed beside the set, and Nearest finds all
// others meanwhile. Segments of few rows are joined.
func (s *Set) Purge(deleted map[uuid.UUID]bool) {
	s.adding.Lock()
	defer s.adding.Unlock()
	replaced := 0
	for at := 0; at < len(s.segments); { // nobody else writes it
		end, live := at, 0
		for end < len(s.segments) {
			n := s.segments[end].live(deleted)
			if live == s.perSegment || end > at && live+n > s.perSegment {
				break
			}
			live, end = live+n, end+1
		}
		if end == at+1 && live == s.segments[at].rows {
			at = end
			continue
		}
		var joined []filled
		if live > 0 {
			joined = []filled{s.join(s.segments[at:end], deleted)}
		}
		s.mu.Lock()
		for _, g := range s.segments[at:end] {
			s.rows -= g.rows
		}
		s.rows += live
		s.segments = append(append(append([]filled(nil), s.segments[:at]...), joined...), s.segments[end:]...)
		s.mu.Unlock()
		if replaced += end - at; replaced >= collectAfter {
			runtime.GC()
			replaced = 0
		}
		at += len(joined)
	}
	runtime.GC()
}

func (g filled) live(deleted map[uuid.UUID]bool) (n int) {
	for _, id := range g.ids[:g.rows] {
		if !deleted[id] {
			n++
		}
	}
	return n
}

// join makes one segment of the rows that are not deleted.
func (s *Set) join(segments []filled, deleted map[uuid.UUID]bool) filled {
	to := filled{segment: s.newSegment()}
	for _, from := range segments {
		for row, id := range from.ids[:from.rows] {
			if !deleted[id] {
				s.copyRow(to.segment, to.rows, from.segment, row)
				to.rows++
			}
		}
	}
	runtime.KeepAlive(segments) // whose memory is not Go's
	return to
}

func (s *Set) copyRow(to *segment, at int, from *segment, row int) {
	to.ids[at], to.factors[at], to.offsets[at], to.steps[at] = from.ids[row], from.factors[row], from.offsets[row], from.steps[row]
	copy(to.codes[at*s.dims:(at+1)*s.dims], from.codes[row*s.dims:])
	target, source := to.signs[s.signsAt(at):], from.signs[s.signsAt(row):]
	for i := 0; i < s.groups*block; i += block {
		target[i] = source[i]
	}
}

// signsAt is where the first of a row's signs is.
func (s *Set) signsAt(row int) int { return row/block*block*s.groups + placeInBlock(row) }
