package matchdb

import "github.com/pgvector/pgvector-go"

// offScale divides the half that is stored beside a vector and multiplies the one that is asked with. The index links
// stored vectors by their inner products with each other, to which a half in its full size adds: flags of a great half would
// be everybody's neighbours, and are the last to be wanted. Of real edits it missed four times as many. A power of two,
// which rounds nothing.
const offScale = 64

// Stored is the halfvec [r, −half/64], of dims + 1, by which a flag's r of the given half is found. Half is rounded to half
// precision before, as it stands in the table.
func Stored(r []float32, half float32) pgvector.HalfVector { return extended(r, -half/offScale) }

// Asked is the halfvec [q, 64], whose inner product with Stored(r, half) is q·r − half.
func Asked(q []float32) pgvector.HalfVector { return extended(q, offScale) }

func extended(vector []float32, last float32) pgvector.HalfVector {
	v := make([]float32, 0, len(vector)+1)
	return pgvector.NewHalfVector(append(append(v, vector...), last))
}
