package main

import (
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
)

// latent is how many directions the vectors of a cloud mainly differ in. Embeddings of pictures fill few of the
// directions that they have numbers for; vectors that fill all of them are far from each other and easy to search.
const latent = 64

// cloud draws unit vectors as a picture model makes them: a few directions matter much and many a little, and none of
// them is an axis.
type cloud struct {
	dims int
	axes [][]float32 // latent directions, the first the longest
}

func newCloud(dims int, seed uint64) *cloud {
	random := rand.New(rand.NewPCG(seed, 17))
	c := &cloud{dims: dims, axes: make([][]float32, latent)}
	for i := range c.axes {
		c.axes[i] = make([]float32, dims)
		length := math.Pow(float64(i+1), -0.25)
		for k := range c.axes[i] {
			c.axes[i][k] = float32(random.NormFloat64() * length)
		}
	}
	return c
}

// draw makes n vectors, the same for the same seed.
func (c *cloud) draw(n int, seed uint64) [][]float32 {
	all := make([]float32, n*c.dims)
	vectors := make([][]float32, n)
	const chunk = 1000
	onCores((n+chunk-1)/chunk, func(part int) {
		random := rand.New(rand.NewPCG(seed, uint64(part)))
		for i := part * chunk; i < min(n, (part+1)*chunk); i++ {
			vectors[i] = all[i*c.dims : (i+1)*c.dims : (i+1)*c.dims]
			c.fill(vectors[i], random)
		}
	})
	return vectors
}

func (c *cloud) fill(v []float32, random *rand.Rand) {
	for k := range v {
		v[k] = float32(random.NormFloat64())
	}
	for _, axis := range c.axes {
		z := float32(random.NormFloat64())
		for k, a := range axis {
			v[k] += z * a
		}
	}
	normalise(v)
}

func normalise(v []float32) {
	scale := float32(1 / math.Sqrt(float64(dot(v, v))))
	for k := range v {
		v[k] *= scale
	}
}

// dot has four sums, since a processor adds in several places at once.
func dot(a, b []float32) float32 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float32
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return s0 + s1 + s2 + s3
}

// at turns v towards other until their inner product is cosine.
func at(v, other []float32, cosine float64) []float32 {
	turned := make([]float32, len(v))
	along := dot(v, other)
	for k := range turned {
		turned[k] = other[k] - along*v[k]
	}
	normalise(turned)
	sine := float32(math.Sqrt(1 - cosine*cosine))
	for k := range turned {
		turned[k] = float32(cosine)*v[k] + sine*turned[k]
	}
	return turned
}

// onCores calls work for 0 to n-1, side by side.
func onCores(n int, work func(i int)) {
	var group sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		group.Go(func() {
			for i := w; i < n; i += workers {
				work(i)
			}
		})
	}
	group.Wait()
}
