package main

import (
	"math"
	"math/rand/v2"
	"runtime"
	"sync"

	"moderator/internal/dot"
)

// A cloud has the similarities of real photographs by the shipped model. Of 10,435 photographs, one pair in 10 has an inner
// product of 0.16 or more, one in 100 of 0.29, one in 1,000 of 0.42, one in 10,000 of 0.57. Of the nearest neighbours, one in
// 10 is at 0.44 or less, half at 0.55 or less, nine in 10 at 0.68 or less. Two properties lead to that.
const (
	// Pictures vary in a number of orthogonal directions, by exp(-decay·i^power) in direction i. The power is measured from
	// the photographs' vectors.
	latent = 256
	decay  = 0.1
	power  = 0.62
	// Pictures belong to crowds: each has an inner product between these two with the centre of its crowd.
	crowds = 1000
	loose  = 0.3
	tight  = 0.85
)

// cloud draws unit vectors with the distribution of a picture model. A picture is a unit vector of latent numbers, which axes
// map to dims numbers. dims is a multiple of 4, and at least latent.
type cloud struct {
	dims    int
	axes    [][]float32 // latent orthogonal unit vectors of dims numbers
	centres [][]float32 // pictures
}

func newCloud(dims int, seed uint64) *cloud {
	random := rand.New(rand.NewPCG(seed, 17))
	c := &cloud{dims: dims, axes: make([][]float32, latent), centres: make([][]float32, crowds)}
	for i := range c.axes {
		axis := make([]float32, dims)
		for k := range axis {
			axis[k] = float32(random.NormFloat64())
		}
		for _, other := range c.axes[:i] {
			add(axis, -dot.Product(axis, other), other)
		}
		normalise(axis)
		c.axes[i] = axis
	}
	for i := range c.centres {
		c.centres[i] = scatter(random)
	}
	return c
}

// draw returns n vectors, which the seed determines.
func (c *cloud) draw(n int, seed uint64) [][]float32 {
	vectors := make([][]float32, n)
	inChunks(n, seed, func(i int, random *rand.Rand) { vectors[i] = c.vector(c.picture(random)) })
	return vectors
}

// picture draws a picture.
func (c *cloud) picture(random *rand.Rand) []float32 {
	centre := c.centres[random.IntN(crowds)]
	return at(centre, scatter(random), loose+(tight-loose)*random.Float64())
}

// scatter draws a picture that belongs to no crowd.
func scatter(random *rand.Rand) []float32 {
	p := make([]float32, latent)
	for i := range p {
		p[i] = float32(random.NormFloat64() * math.Exp(-decay*math.Pow(float64(i), power)))
	}
	normalise(p)
	return p
}

// vector returns a picture's vector.
func (c *cloud) vector(picture []float32) []float32 {
	v := make([]float32, c.dims)
	for i, axis := range c.axes {
		add(v, picture[i], axis)
	}
	return v
}

// inChunks calls work for 0 to n-1 in parallel, with random numbers that the seed determines.
func inChunks(n int, seed uint64, work func(i int, random *rand.Rand)) {
	const chunk = 1000
	onCores((n+chunk-1)/chunk, func(part int) {
		random := rand.New(rand.NewPCG(seed, uint64(part)))
		for i := part * chunk; i < min(n, (part+1)*chunk); i++ {
			work(i, random)
		}
	})
}

// onCores calls work for 0 to n-1 in parallel.
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

func normalise(v []float32) {
	scale := float32(1 / math.Sqrt(float64(dot.Product(v, v))))
	for k := range v {
		v[k] *= scale
	}
}

// add adds times·w to v.
func add(v []float32, times float32, w []float32) {
	for k, x := range w[:len(v)] {
		v[k] += times * x
	}
}

// at turns v towards other until their inner product is cosine.
func at(v, other []float32, cosine float64) []float32 {
	turned := append([]float32(nil), other...)
	add(turned, -dot.Product(v, other), v)
	normalise(turned)
	sine := float32(math.Sqrt(1 - cosine*cosine))
	for k := range turned {
		turned[k] = float32(cosine)*v[k] + sine*turned[k]
	}
	return turned
}
