package main

import (
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
)

// A cloud is drawn such that pairs of its vectors are as alike as pairs of pictures are to the shipped model: of those in
// its background file 1 in 10 has an inner product of 0.14 or more, 1 in 100 of 0.26, 1 in 10,000 of 0.49 and 1 in 100,000 of
// 0.61; here of 0.13, 0.24, 0.47 and 0.61. Two things make it so.
const (
	// Vectors mainly differ in so many directions, the first the most.
	latent = 160
	// And they crowd: each lies towards the centre of one of so many crowds, up to so much of its length.
	crowds   = 500
	tightest = 0.8
)

// cloud draws unit vectors as a picture model makes them.
type cloud struct {
	dims    int
	axes    [][]float32 // latent directions, the first the longest
	centres [][]float32
}

func newCloud(dims int, seed uint64) *cloud {
	random := rand.New(rand.NewPCG(seed, 17))
	c := &cloud{dims: dims, axes: make([][]float32, latent), centres: make([][]float32, crowds)}
	for i := range c.axes {
		c.axes[i] = make([]float32, dims)
		length := math.Pow(float64(i+1), -0.25)
		for k := range c.axes[i] {
			c.axes[i][k] = float32(random.NormFloat64() * length)
		}
	}
	for i := range c.centres {
		c.centres[i] = make([]float32, dims)
		c.scatter(c.centres[i], random)
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
	c.scatter(v, random)
	centre := c.centres[random.IntN(crowds)]
	near := tightest * random.Float64()
	far := float32(math.Sqrt(1 - near*near))
	for k := range v {
		v[k] = far*v[k] + float32(near)*centre[k]
	}
	normalise(v)
}

// scatter draws a vector of no crowd.
func (c *cloud) scatter(v []float32, random *rand.Rand) {
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
