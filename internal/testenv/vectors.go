package testenv

import (
	"math"
	"math/rand/v2"
)

// RandomUnit is a vector of dims numbers, in a random direction and of length 1.
func RandomUnit(r *rand.Rand, dims int) []float32 {
	v := make([]float32, dims)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	return Unit(v)
}

// Unit brings a vector to length 1, in place, and returns it.
func Unit(v []float32) []float32 {
	var square float64
	for _, x := range v {
		square += float64(x) * float64(x)
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(square))
	}
	return v
}
