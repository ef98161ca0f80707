package matchdb

import (
	"github.com/pgvector/pgvector-go"
	"github.com/x448/float16"
)

// Stored is the halfvec [r, 1 − half], of dims + 1, by which a flag's r of the given half, which is Rounded, is found.
//
// The 1 changes no order of what is found, and what an index of the allow-list's is built by: it links stored vectors by their
// inner products with each other, r·r' + (1 − half)(1 − half'), which but for half·half' is 1 and their score.
func Stored(r []float32, half float32) pgvector.HalfVector { return extended(r, 1-half) }

// Asked is the halfvec [q, 1], whose inner product with Stored(r, half) is q·r − half + 1.
func Asked(q []float32) pgvector.HalfVector { return extended(q, 1) }

// Rounded is the half that a flag is stored with: nearly half, and exact in Stored's half precision.
func Rounded(half float32) float32 { return 1 - float16.Fromfloat32(1-half).Float32() }

func extended(vector []float32, last float32) pgvector.HalfVector {
	v := make([]float32, 0, len(vector)+1)
	return pgvector.NewHalfVector(append(append(v, vector...), last))
}
