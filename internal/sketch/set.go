// Package sketch finds the nearest of a million vectors in a few milliseconds: it looks at all of them, in memory, by
// one bit for each of their numbers, and then at the most promising again by a byte for each.
//
// What the signs of r say of q·r is <q, sign r>·|r|²/Σ|r_i|, whose error is |q||r|·0.75/√dims for vectors that lie anyhow
// (RaBitQ, Gao and Long 2024).
//
// What it returns is where to look, and not how near that is: scores are for who has the vectors.
package sketch

import (
	"fmt"
	"math"
	"sync"

	"github.com/google/uuid"

	"moderator/internal/hugepage"
)

// Set is a compact copy of vectors r, each with a penalty, for queries q: near is what has a high q·r − penalty. It takes
// 28 + 9/8·dims bytes a vector. It is safe for concurrent use.
type Set struct {
	layout
	mean []float32

	adding   sync.Mutex   // one Add or Purge at a time
	mu       sync.RWMutex // of the two below; rows that were added never change
	segments []filled
	rows     int
}

// filled is a segment with the number of its rows, at least one.
type filled struct {
	*segment
	rows int
}

// segment is some consecutive rows of a Set. With r' for r less the mean, q·r − penalty is q·r' − penalty and the same for all rows.
type segment struct {
	memory  *hugepage.Array[byte] // of all the columns
	ids     []uuid.UUID
	signs   []byte    // of the numbers of r', groups a row, block by block
	factors []float32 // |r'|²/Σ|r'_i|: what q·r' is a multiple of, of the sum of q's numbers with these signs
	offsets []float32 // mean·r' − penalty: what signs need not say
	codes   []int8    // r', dims a row, in steps
	steps   []float32
}

// New makes an empty set of vectors of len(mean) numbers, that of those to come: signs say most of vectors that have their
// centre at 0. A mean of zeros does for models whose vectors do.
func New(mean []float32) *Set {
	return &Set{layout: layoutOf(len(mean)), mean: mean}
}

// Len is the number of vectors.
func (s *Set) Len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.rows
}

// Bytes is the memory that the vectors take.
func (s *Set) Bytes() int64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return int64(len(s.segments)) * int64(s.bytes)
}

// Add adds a vector of what the id names. It panics when the vector has another width than the mean.
func (s *Set) Add(id uuid.UUID, vector []float32, penalty float32) {
	if len(vector) != s.dims {
		panic(fmt.Sprintf("sketch: a vector of %d numbers into a set of %d", len(vector), s.dims))
	}
	s.adding.Lock()
	defer s.adding.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.segments); n == 0 || s.segments[n-1].rows == s.perSegment {
		s.segments = append(s.segments, filled{segment: s.newSegment()})
	}
	g := &s.segments[len(s.segments)-1]
	at := g.rows
	var square, sum, along, most float32
	centred := make([]float32, s.dims)
	signs := g.signs[s.signsAt(at):]
	for i, x := range vector {
		x -= s.mean[i]
		centred[i] = x
		size := max(x, -x)
		square, sum, along, most = square+x*x, sum+size, along+x*s.mean[i], max(most, size)
		if x > 0 {
			signs[i/8*block] |= 1 << (i % 8)
		}
	}
	if sum > 0 {
		g.factors[at] = square / sum
	}
	g.ids[at], g.offsets[at], g.steps[at] = id, along-penalty, most/math.MaxInt8
	quantise(centred, g.steps[at], g.codes[at*s.dims:])
	g.rows++
	s.rows++
}

// quantise is the vector in steps.
func quantise[T int8 | int16](vector []float32, step float32, into []T) {
	if step == 0 {
		return
	}
	for i, x := range vector {
		into[i] = T(math.RoundToEven(float64(x / step)))
	}
}
