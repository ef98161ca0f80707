package matchdb

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// What is stored and asked has the score for its inner product, and so, nearly, has what is stored with each other.
func TestInnerProductsAreScores(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	for range 100 {
		a, b := random(r), random(r)
		h, k := Rounded(r.Float32()/2), Rounded(r.Float32()/2)
		require.Equal(t, h, Rounded(h))
		score := innerProduct(a, b) - float64(h) - float64(k)
		require.InDelta(t, score, innerProduct(QueryVector(a).Slice(), StoredVector(b, k).Slice())-float64(h)-1, 1e-6)
		require.InDelta(t, score+float64(h*k), innerProduct(StoredVector(a, h).Slice(), StoredVector(b, k).Slice())-1, 1e-6)
	}
}
