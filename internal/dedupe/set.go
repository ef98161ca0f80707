package dedupe

import (
	"fmt"

	"moderator/internal/pdq"
)

// Look is what one view of a picture is compared by.
type Look struct {
	Vector  []float32 // L2-normalised
	Penalty float32   // its share of the score: see embed.Background
	Hash    pdq.Hash
	Quality int // of the hash, 0 to 100; below pdq.MinQuality it says nothing
}

// Set is the looks of many pictures. The zero value is empty.
type Set struct {
	dims      int
	vectors   []float32 // a row a look
	penalties []float32
	hashes    []pdq.Hash
	clear     []bool  // the hash says something
	pictures  []int32 // whose look it is
}

// Add adds a look of the picture with this number. It panics when the vector is not as wide as those before.
func (s *Set) Add(picture int, l Look) {
	if s.dims == 0 {
		s.dims = len(l.Vector)
	}
	if len(l.Vector) != s.dims {
		panic(fmt.Sprintf("near: a vector of %d numbers beside others of %d", len(l.Vector), s.dims))
	}
	s.vectors = append(s.vectors, l.Vector...)
	s.penalties = append(s.penalties, l.Penalty)
	s.hashes = append(s.hashes, l.Hash)
	s.clear = append(s.clear, l.Quality >= pdq.MinQuality)
	s.pictures = append(s.pictures, int32(picture))
}

// Len is the number of looks.
func (s *Set) Len() int { return len(s.pictures) }

// rows are the vectors from row i up to row j.
func (s *Set) rows(i, j int) []float32 { return s.vectors[i*s.dims : j*s.dims] }
