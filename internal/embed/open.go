package embed

import (
	"context"
	"errors"
	"fmt"
)

// cpuBatch is the largest batch of one inference on the CPU. The shipped model embeds, per second of one core, 270 pictures
// one by one, 350 in batches of 4, 370 of 8, 390 of 16 and of 32: larger ones only take longer to fill all cores.
const cpuBatch = 16

// slotsPerDevice lets the next batch be filled while an accelerator computes the last.
const slotsPerDevice = 2

// openUntil is open, and returns as soon as ctx is done. ONNX Runtime cannot be interrupted: what it builds at that moment, which
// takes minutes for some devices, is given up behind the caller's back.
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
				_ = m.destroy() // nobody is left to hear of it
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

// open builds f's sessions on p and warms them up: each batch size that will be compiled for runs once. Between these steps it
// heeds ctx.
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
		// One session whose single-threaded runs go on side by side is as fast as a session each, and has the weights in
		// memory once.
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
		session, err := newSession(f, p, place{device, o.Cache})
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
	known.graph = nil // the sessions have it
	known.tensors.width = int(vectorWidth(tail))
	m.folder = &known
	m.free = newQueue(m.slots, len(devices))
	return m, nil
}

// batchSizes are the sizes, ascending, that batches on p are padded to; free means that any size up to the largest may run as
// it is. fixed is the size that the graph insists on, or 0.
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

// warmUp runs each batch size once, the largest first, and checks that a vector comes out: a driver that computes nonsense
// is found here and not among the decisions.
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
