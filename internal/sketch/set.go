// Package sketch finds the nearest of millions of vectors in about a millisecond: it looks at all of them, in memory, by
// one bit for each of their numbers, and then at the most promising again by a byte for each.
//
// What it returns is where to look, and not how near that is: scores are for who has the vectors.
package sketch

import (
	"fmt"
	"math"
	"sync"

	"github.com/google/uuid"
)

// perSegment is how many rows there is room for at a time.
const perSegment = 8192

// Set is a compact copy of vectors r, each with a half, for queries q: near is what has a high q·r − half. It takes
// 28 + 9/8·dims bytes a vector. It is safe for concurrent use.
type Set struct {
	dims, words int
	mean        []float32

	mu       sync.RWMutex // of the two below; rows that were added never change
	segments []*segment
	rows     int
}

// segment is some consecutive rows of a Set. With r' for r less the mean, q·r − half is q·r' − half and the same for all rows.
type segment struct {
	ids    []uuid.UUID
	signs  []uint64 // of the numbers of r', words a row
	norms  []int16  // |r'|, in units
	offset []int16  // mean·r' − half, in units: what signs need not say
	codes  []int8   // r', dims a row, in steps
	steps  []float32
	halves []float32
}

// New makes an empty set of vectors of len(mean) numbers, that of those to come: signs say most of vectors that have their
// centre at 0. A mean of zeros does for models whose vectors do.
func New(mean []float32) *Set {
	return &Set{dims: len(mean), words: (len(mean) + 63) / 64, mean: mean}
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
	return int64(len(s.segments)) * perSegment * int64(16+8*s.words+2+2+s.dims+4+4)
}

// Add adds a vector of what the id names. It panics when the vector has another width than the mean.
func (s *Set) Add(id uuid.UUID, vector []float32, half float32) {
	if len(vector) != s.dims {
		panic(fmt.Sprintf("sketch: a vector of %d numbers into a set of %d", len(vector), s.dims))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.rows % perSegment
	if at == 0 {
		s.segments = append(s.segments, &segment{
			ids: make([]uuid.UUID, perSegment), signs: make([]uint64, perSegment*s.words), norms: make([]int16, perSegment),
			offset: make([]int16, perSegment), codes: make([]int8, perSegment*s.dims), steps: make([]float32, perSegment),
			halves: make([]float32, perSegment),
		})
	}
	g := s.segments[len(s.segments)-1]
	var square, along, most float32
	centred := make([]float32, s.dims)
	for i, x := range vector {
		x -= s.mean[i]
		centred[i] = x
		square, along, most = square+x*x, along+x*s.mean[i], max(most, x, -x)
	}
	g.ids[at], g.halves[at], g.steps[at] = id, half, most/math.MaxInt8
	g.norms[at], g.offset[at] = inUnits(math.Sqrt(float64(square))), inUnits(float64(along-half))
	signsOf(centred, g.signs[at*s.words:])
	quantise(centred, g.steps[at], g.codes[at*s.dims:])
	s.rows++
}

// inUnits is x in units: the length of the difference of two unit vectors is at most 2.
func inUnits(x float64) int16 { return int16(math.Round(units * max(-2, min(2, x)))) }

// signsOf sets a bit for each number above 0.
func signsOf(vector []float32, into []uint64) {
	for i, x := range vector {
		if x > 0 {
			into[i/64] |= 1 << (i % 64)
		}
	}
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
