package main

import (
	"math/rand/v2"
	"slices"

	"moderator/internal/imaging"
)

// stored is a view of a drawn flag.
type stored struct {
	flag    int // its number
	view    imaging.View
	vector  []float32
	penalty float32 // the background's, rounded
}

// borders is how many flags there are for each with a uniform border, which is stored as a second view.
const borders = 5

// flags draws the views of n pictures as flags are stored, one picture after the other. Penalties are 0.
func (c *cloud) flags(n int, seed uint64) []stored {
	views := make([][]stored, n)
	inChunks(n, seed, func(i int, random *rand.Rand) {
		picture := c.picture(random)
		views[i] = []stored{{flag: i, view: imaging.ViewOriginal, vector: c.vector(picture)}}
		if i%borders == 0 {
			trimmed := at(picture, scatter(random), 0.82+0.13*random.Float64()) // as the middle of eight of ten photographs is
			views[i] = append(views[i], stored{flag: i, view: imaging.ViewTrimmed, vector: c.vector(trimmed)})
		}
	})
	return slices.Concat(views...)
}

const (
	editKinds  = 37
	editShared = 0.22 // share of an edit's change that all edits of its kind have: such residuals have an inner product of 0.05
)

// edit applies an edit of a random kind to a picture's vector, such that its inner product with the original is cosine. The axes are
// orthogonal, so that vectors are as far apart as their pictures.
func (c *cloud) edit(vector []float32, cosine float64, random *rand.Rand) []float32 {
	return at(vector, c.vector(at(c.centres[random.IntN(editKinds)], scatter(random), editShared)), cosine)
}
