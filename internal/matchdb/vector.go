package matchdb

import (
	"github.com/pgvector/pgvector-go"
	"github.com/x448/float16"
)

// StoredVector is the halfvec [r, 1 − penalty], of dims + 1, by which a flag's r of the given penalty, which is Rounded, is found.
//
// The 1 changes no order of what is found, and what an index of the allow-list's is built by: it links stored vectors by their
// inner products with each other, r·r' + (1 − penalty)(1 − penalty'), which but for penalty·penalty' is 1 and their score.
func StoredVector(r []float32, penalty float32) pgvector.HalfVector { return extended(r, 1-penalty) }

// QueryVector is the halfvec [q, 1], whose inner product with StoredVector(r, penalty) is q·r − penalty + 1.
func QueryVector(q []float32) pgvector.HalfVector { return extended(q, 1) }

// Rounded is the penalty that a flag is stored with: nearly the given one, and exact in Stored's half precision.
func Rounded(penalty float32) float32 { return 1 - float16.Fromfloat32(1-penalty).Float32() }

func extended(vector []float32, last float32) pgvector.HalfVector {
	v := make([]float32, 0, len(vector)+1)
	return pgvector.NewHalfVector(append(append(v, vector...), last))
}
