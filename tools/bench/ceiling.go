package main

import (
	"errors"
	"os"
	"runtime"
	"sync"
	"time"

	"moderator/internal/imaging"
	"moderator/internal/pdq"
	"moderator/internal/views"
)

// figure is a speed.
type figure struct {
	perSecond float64 // by the clock, all cores together
	perCPU    float64 // a second of CPU time
}

// harmonic is the speed of doing one thing after the other.
func harmonic(a, b figure) figure {
	return figure{1 / (1/a.perSecond + 1/b.perSecond), 1 / (1/a.perCPU + 1/b.perCPU)}
}

func mean(a, b figure) figure {
	return figure{(a.perSecond + b.perSecond) / 2, (a.perCPU + b.perCPU) / 2}
}

// onAllCores runs work on every core for the given time, each call of which does count things, and measures them. The
// number given to work is the core's, and then that of its call.
func onAllCores(duration time.Duration, count int, work func(core, call int) error) (figure, error) {
	cores := runtime.GOMAXPROCS(0)
	done, errs := make([]int, cores), make([]error, cores)
	cpu, began := ownCPU(), time.Now()
	var group sync.WaitGroup
	for core := range cores {
		group.Go(func() {
			for call := 0; time.Since(began) < duration && errs[core] == nil; call++ {
				errs[core] = work(core, call)
				done[core] += count
			}
		})
	}
	group.Wait()
	total := 0
	for _, n := range done {
		total += n
	}
	// Cores end their last call at different times; what the clock adds by that is less than one call.
	return figure{float64(total) / time.Since(began).Seconds(), float64(total) / (ownCPU() - cpu).Seconds()}, errors.Join(errs...)
}

// ceilingBatch is the batch of one inference, as in moderator. Larger ones are no faster.
const ceilingBatch = 16

// embeddingCeiling is the speed of ONNX Runtime alone: one thread on each core, tensors in place.
func embeddingCeiling(m model, duration time.Duration) (f figure, err error) {
	data, err := os.ReadFile(m.graph)
	if err != nil {
		return f, err
	}
	session, err := openSession(data, m.input, m.output)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, session.Destroy()) }()
	runs := make([]*inference, runtime.GOMAXPROCS(0))
	side, _ := m.target.Size()
	for i := range runs {
		if runs[i], err = newInference(session, ceilingBatch, side, m.dims); err != nil {
			return f, err
		}
		defer runs[i].close()
		if err = runs[i].run(); err != nil { // allocates what it needs
			return f, err
		}
	}
	return onAllCores(duration, ceilingBatch, func(core, _ int) error { return runs[core].run() })
}

// pixels is the request of the model's pixels and nothing else.
func (m model) pixels() imaging.Request {
	return imaging.Request{Targets: []imaging.Target{m.target}, Limits: imaging.DefaultLimits()}
}

// signals is the request of everything that moderator compares.
func (m model) signals() imaging.Request {
	return imaging.Request{Targets: []imaging.Target{m.target}, Views: views.Query(), Gray: true, Limits: imaging.DefaultLimits()}
}

// decodingCeiling is the speed of decoding alone, in this process.
func decodingCeiling(files [][]byte, request imaging.Request, duration time.Duration) (figure, error) {
	return onAllCores(duration, 1, func(core, call int) error {
		result, err := imaging.Decode(files[(core+call)%len(files)], request)
		if err == nil && request.Gray {
			for _, view := range result.Frames[0].Views {
				pdq.Compute(view.Gray.Width, view.Gray.Height, view.Gray.Pix)
			}
		}
		return err
	})
}
