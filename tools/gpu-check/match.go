package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/google/uuid"

	"moderator/internal/deviceset"
	"moderator/internal/embed"
	"moderator/internal/sketch"
)

const (
	librarySize   = 1_000_000 // vectors
	smallLibrary  = 4_000     // of software devices
	libraryDims   = 256
	queriesAtOnce = 32
	wantedNear    = 100
	scoreError    = 1e-4 // of products that are summed in float32
)

// match compares the candidates of a library on the provider with those on the CPU, before and after flags are added and retracted.
func (c *checker) match(ctx context.Context) error {
	provider := c.matchDevice()
	if provider == "off" {
		return nil
	}
	library, err := newLibraries(ctx, provider)
	if err != nil {
		return err
	}
	size := librarySize
	if c.software() {
		size = smallLibrary
	}
	for _, until := range []int{size * 9 / 10, size} {
		if err := library.grow(until); err != nil {
			return err
		}
		if err := library.compare(); err != nil {
			return err
		}
		for n := 0; n < until; n += 50 {
			library.retracted[library.id(n)] = true
		}
	}
	if err := library.compare(); err != nil {
		return err
	}
	fmt.Fprintf(c.stdout, "gpu-check: match on %s: candidates of %d vectors are the CPU's, scores differ by at most %.1e; %.1f ms for %d queries\n",
		library.device, size, library.worst, library.took.Seconds()*1000, queriesAtOnce)
	return nil
}

// matchDevice is the --match-device of the provider's device.
func (c *checker) matchDevice() string {
	switch c.Provider {
	case "cuda", "tensorrt":
		return "cuda"
	case "webgpu":
		return "webgpu"
	}
	return "off"
}

// libraries are the same vectors on a device and on the CPU.
type libraries struct {
	device      *deviceset.Device
	here, there *deviceset.Set
	random      *rand.Rand
	centres     [][]float32 // of clusters
	retracted   map[uuid.UUID]bool
	worst       float64       // difference of scores
	took        time.Duration // of the last search on the device
}

func newLibraries(ctx context.Context, provider string) (*libraries, error) {
	l := &libraries{random: rand.New(rand.NewPCG(seed, 0)), retracted: map[uuid.UUID]bool{}}
	cpu, err := deviceset.Open(ctx, embed.Options{Provider: "cpu"})
	if err != nil {
		return nil, err
	}
	if l.device, err = deviceset.Open(ctx, embed.Options{Provider: provider}); err != nil {
		return nil, err
	}
	if l.here, err = cpu.NewSet(libraryDims); err != nil {
		return nil, err
	}
	if l.there, err = l.device.NewSet(libraryDims); err != nil {
		return nil, err
	}
	for range 100 {
		l.centres = append(l.centres, l.vector(make([]float32, libraryDims), 1))
	}
	return l, nil
}

// vector is a vector of length 1 about the centre.
func (l *libraries) vector(centre []float32, noise float64) []float32 {
	v, square := slices.Clone(centre), 0.0
	for i := range v {
		v[i] += float32(noise * l.random.NormFloat64() / math.Sqrt(libraryDims))
		square += float64(v[i]) * float64(v[i])
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(square))
	}
	return v
}

// next is near to one of the centres, or far from all.
func (l *libraries) next() []float32 {
	return l.vector(l.centres[l.random.IntN(len(l.centres))], 3*l.random.Float64())
}

func (l *libraries) id(n int) (id uuid.UUID) {
	binary.BigEndian.PutUint64(id[:], uint64(n))
	return id
}

func (l *libraries) grow(until int) error {
	for n := l.here.Len(); n < until; n++ {
		vector, penalty := l.next(), 0.4*l.random.Float32()
		if err := l.here.Add(l.id(n), vector, penalty); err != nil {
			return err
		}
		if err := l.there.Add(l.id(n), vector, penalty); err != nil {
			return err
		}
	}
	return nil
}

// compare searches for a batch twice, and measures the second time, when all vectors are on the device.
func (l *libraries) compare() error {
	for range 2 {
		queries := make([][]float32, queriesAtOnce)
		for i := range queries {
			queries[i] = l.next()
		}
		want, bounds, err := l.here.Nearest(queries, wantedNear, l.retracted)
		if err != nil {
			return err
		}
		began := time.Now()
		got, gotBounds, err := l.there.Nearest(queries, wantedNear, l.retracted)
		if err != nil {
			return err
		}
		l.took = time.Since(began)
		for i := range queries {
			l.worst = max(l.worst, math.Abs(float64(gotBounds[i]-bounds[i])))
			if err := l.compareOne(want[i], got[i]); err != nil {
				return fmt.Errorf("query %d of %d: %w", i, queriesAtOnce, err)
			}
		}
	}
	if l.worst > scoreError {
		return fmt.Errorf("scores differ by %.1e from the CPU's, wanted at most %.1e", l.worst, float64(scoreError))
	}
	return nil
}

// compareOne compares what is found for a query. Vectors whose scores are the same but for the error may change places, and the last
// may be another.
func (l *libraries) compareOne(want, got []sketch.Near) error {
	if len(want) != len(got) {
		return fmt.Errorf("%d candidates, wanted the CPU's %d", len(got), len(want))
	}
	scores := make(map[uuid.UUID]float32, len(want))
	for _, n := range want {
		scores[n.ID] = n.Score
	}
	last := want[len(want)-1].Score
	for rank, n := range got {
		l.worst = max(l.worst, math.Abs(float64(n.Score-want[rank].Score)))
		if score, ok := scores[n.ID]; ok {
			l.worst = max(l.worst, math.Abs(float64(n.Score-score)))
		} else if n.Score > last+scoreError {
			return fmt.Errorf("candidate %d, with the score %g, is not among the CPU's", rank, n.Score)
		}
		if l.retracted[n.ID] {
			return fmt.Errorf("candidate %d is retracted", rank)
		}
	}
	return nil
}
