package matchdb

import (
	"github.com/google/uuid"

	"moderator/internal/sketch"
)

// Vectors says where a library's embeddings are kept for searches.
type Vectors struct {
	// New makes a set for a model's vectors, whose mean is about the given one.
	New func(mean []float32) (VectorSet, error)
	// Bytes is the memory that n vectors of dims numbers take: of an accelerator, and of this machine.
	Bytes func(n int64, dims int) (device, own int64)
}

// VectorSet is vectors r, each with a penalty, in which candidates are found. It is safe for concurrent use.
type VectorSet interface {
	// Add adds a vector of what the id names.
	Add(id uuid.UUID, vector []float32, penalty float32) error
	// Nearest returns for each query of what the k vectors with the highest q·r − penalty are, the nearest first, and a bound, which that
	// of no other vector exceeds. Both may be wrong by sketchError.
	Nearest(queries [][]float32, k int, deleted map[uuid.UUID]bool) (near [][]sketch.Near, bounds []float32, err error)
	// Len is the number of vectors, and Bytes the memory that they take where they are kept.
	Len() int
	Bytes() int64
}

// inMemory keeps sketches of the vectors in this machine's memory.
var inMemory = Vectors{
	New:   func(mean []float32) (VectorSet, error) { return sketched{sketch.New(mean)}, nil },
	Bytes: func(n int64, dims int) (device, own int64) { return 0, n * sketch.BytesOf(dims) },
}

type sketched struct{ *sketch.Set }

func (s sketched) Add(id uuid.UUID, vector []float32, penalty float32) error {
	s.Set.Add(id, vector, penalty)
	return nil
}

func (s sketched) Nearest(queries [][]float32, k int, deleted map[uuid.UUID]bool) (near [][]sketch.Near, bounds []float32, err error) {
	near, bounds = make([][]sketch.Near, len(queries)), make([]float32, len(queries))
	for i, q := range queries {
		near[i], bounds[i] = s.Set.Nearest(q, k, deleted)
	}
	return near, bounds, nil
}
