package embed

import (
	"context"
	"errors"
	"fmt"
)

// cpuBatch is the largest batch of one inference on the CPU. In a second of one core, the shipped model embeds 270 pictures
// singly, 350 in batches of 4, 370 of 8, 390 of 16 and of 32. Larger batches only take longer to occupy all cores.
const cpuBatch = 16

// slotsPerDevice lets one batch be filled while an accelerator computes another.
const slotsPerDevice = 2

// openUntil is open, but returns as soon as ctx is done. ONNX Runtime cannot be interrupted: a goroutine waits for what it
// builds, which may take minutes, and then destroys it.
func openUntil(ctx context.Context, f *Folder, p provider, o Options) (*Model, error) {
	type opened struct {
		model *Model
		err   error
	}
	done := make(chan opened)
	go func() {
		m, err := open(ctx, f, p, o)
		select {
		case done <- opened{m, err}:
		case <-ctx.Done():
			if err == nil {
				_ = m.destroy() // no caller is left to get the error
			}
		}
	}()
	select {
	case got := <-done:
		return got.model, got.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// open builds f's sessions on p and warms them up, so that each batch size is compiled. It checks ctx between these steps.
func open(ctx context.Context, f *Folder, p provider, o Options) (_ *Model, err error) {
	m := &Model{closed: make(chan struct{})}
	defer func() {
		if err != nil {
			err = errors.Join(err, m.destroy())
		}
	}()
	devices, perSession := o.DeviceIDs, slotsPerDevice
	if len(devices) == 0 {
		devices = []int{-1}
	}
	m.parallel = 1
	if p.name == "cpu" {
		// One session with concurrent single-threaded runs is as fast as several sessions, and has the weights only once.
		perSession, m.parallel = o.Sessions, o.Sessions
	}
	sizes, free := batchSizes(p, f.tensors.batch, o.MaxBatch)
	m.largest = sizes[len(sizes)-1]
	lut := newTables(f.pre)
	var tail []int64
	for i, device := range devices {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		session, err := newSession(f, p, place{device: device, cache: o.Cache, half: f.half})
		if err != nil {
			return nil, err
		}
		m.sessions = append(m.sessions, session)
		if tail == nil {
			if tail, err = outputTail(session, f); err != nil {
				return nil, err
			}
		}
		for range perSession {
			m.slots = append(m.slots, newSlot(session, i, f, lut, tail, sizes, free))
		}
		if err := m.slots[len(m.slots)-1].warmUp(ctx, int(vectorWidth(tail))); err != nil {
			return nil, err
		}
	}
	known := *f
	known.graph = nil // the sessions have a copy
	known.tensors.width = int(vectorWidth(tail))
	m.folder = &known
	m.free = newQueue(m.slots, len(devices))
	return m, nil
}

// batchSizes returns the sizes, ascending, to which batches on p are padded. free means that any size up to the largest may
// run unpadded. fixed is the graph's fixed batch size, or 0.
func batchSizes(p provider, fixed, largest int) (sizes []int, free bool) {
	switch {
	case fixed > 0:
		return []int{fixed}, false
	case !p.compiles:
		return []int{min(largest, cpuBatch)}, true
	}
	for n := 1; n < largest; n *= 2 {
		sizes = append(sizes, n)
	}
	return append(sizes, largest), false
}

// warnOfFixedBatch warns if the graph's fixed batch size keeps an accelerator from full batches.
func warnOfFixedBatch(f *Folder, p provider, o Options) {
	if fixed := f.tensors.batch; p.compiles && fixed > 0 && fixed < o.MaxBatch {
		o.Logger.Warn("the graph has a fixed batch size, so that the accelerator computes small batches: export it with a free one",
			"model", f.Name(), "graph", f.graphPath, "fixed", fixed, "wanted", o.MaxBatch)
	}
}

// warmUp runs each batch size once, the largest first. It checks the vector, to detect a driver that computes nonsense.
func (s *slot) warmUp(ctx context.Context, dims int) error {
	picture := make([]byte, s.picture)
	for i := range picture {
		picture[i] = byte(i * 37)
	}
	for i := len(s.sizes) - 1; i >= 0; i-- {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := s.sizes[i]
		pictures, vectors, ok := make([][]byte, n), make([][]float32, n), make([]bool, n)
		for k := range n {
			pictures[k], vectors[k] = picture, make([]float32, dims)
		}
		if err := s.run(pictures, vectors, ok); err != nil {
			return err
		}
		if !ok[0] {
			return fmt.Errorf("it computes no usable vector for a test picture")
		}
	}
	return nil
}
