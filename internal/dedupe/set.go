package dedupe

import (
	"fmt"

	"moderator/internal/pdq"
)

// View is the features of one view of a picture.
type View struct {
	Vector  []float32 // L2-normalised
	Penalty float32   // background penalty, and view penalty for a flag
	Hash    pdq.Hash
	Quality int // of the hash, 0 to 100; below pdq.MinQuality the hash is not compared
}

// Set is the views of many pictures. The zero value is empty.
type Set struct {
	dims      int
	vectors   []float32 // a row for each view
	penalties []float32
	hashes    []pdq.Hash
	clear     []bool  // the hash is compared
	pictures  []int32 // whose view it is
}

// Add adds a view of the picture with this number. It panics if the vector's width differs from that of the earlier views.
func (s *Set) Add(picture int, v View) {
	if s.dims == 0 {
		s.dims = len(v.Vector)
	}
	if len(v.Vector) != s.dims {
		panic(fmt.Sprintf("dedupe: a vector of %d numbers, wanted %d as before", len(v.Vector), s.dims))
	}
	s.vectors = append(s.vectors, v.Vector...)
	s.penalties = append(s.penalties, v.Penalty)
	s.hashes = append(s.hashes, v.Hash)
	s.clear = append(s.clear, v.Quality >= pdq.MinQuality)
	s.pictures = append(s.pictures, int32(picture))
}

// Len is the number of views.
func (s *Set) Len() int { return len(s.pictures) }

// rows returns the vectors of the rows from i to j-1.
func (s *Set) rows(i, j int) []float32 { return s.vectors[i*s.dims : j*s.dims] }
