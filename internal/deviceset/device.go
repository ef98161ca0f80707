// Package deviceset finds the nearest of millions of vectors by matrix products on an accelerator, through ONNX Runtime.
//
// The vectors lie in the device's memory, in float16 as Postgres stores them, in blocks that are copied there once. A search runs
// one graph over each block: it multiplies the queries by the block's rows, and only the best rows come back. The products are
// summed in float32, because sums in float16, which some providers make of float16 factors, are wrong by more than thresholds allow.
package deviceset

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/google/uuid"

	"moderator/internal/embed"
)

// Device makes sets on an accelerator.
type Device struct {
	on   *embed.Device
	name string
}

// Open returns the device of o's provider, on which a search of a few vectors gives the right result. With provider auto it is a GPU
// of CUDA or WebGPU. The error says why there is none.
func Open(ctx context.Context, o embed.Options) (*Device, error) {
	on, err := embed.OpenDevice(ctx, o, check)
	if err != nil {
		return nil, err
	}
	return &Device{on, on.String()}, nil
}

// String returns the provider, with the device's name.
func (d *Device) String() string { return d.name }

// Bytes returns the memory that n vectors of dims numbers take: of the device, and of this machine. The CPU's is both.
func (d *Device) Bytes(n int64, dims int) (device, own int64) {
	device, own = n*int64(2*widthOf(dims)), n*int64(len(uuid.UUID{}))
	if !d.on.Copies() {
		own += device
	}
	return device, own
}

// check searches a few vectors, to detect a driver that computes nonsense.
func check(on *embed.Device) (err error) {
	s, err := newSet(on, 3)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.onDevice.destroy()) }()
	ids := []uuid.UUID{{1}, {2}, {3}}
	for i, id := range ids {
		vector := make([]float32, 3)
		vector[i] = 1
		if err := s.Add(id, vector, float32(i)/8); err != nil {
			return err
		}
	}
	near, bounds, err := s.Nearest([][]float32{{0, 1, 0}, {0.6, 0, 0.8}}, 1, nil)
	if err != nil {
		return err
	}
	for i, want := range []struct {
		id           uuid.UUID
		score, bound float64
	}{{ids[1], 0.875, 0}, {ids[0], 0.6, 0.55}} {
		n := near[i]
		if len(n) != 1 || n[0].ID != want.id || math.Abs(float64(n[0].Score)-want.score) > 1e-3 || math.Abs(float64(bounds[i])-want.bound) > 1e-3 {
			return fmt.Errorf("it computes %v and the bound %v for the query %d of a test, wanted %v", n, bounds[i], i, want)
		}
	}
	return nil
}
