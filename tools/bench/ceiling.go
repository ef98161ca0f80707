package main

import (
	"errors"
	"os"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"moderator/internal/imaging"
	"moderator/internal/pdq"
	"moderator/internal/recognise"
)

// figure is the speed of one measurement.
type figure struct {
	perSecond float64 // by the clock, of all cores together
	perCPU    float64 // for each second of CPU time
}

// harmonic is the speed of doing both things, one after the other.
func harmonic(a, b figure) figure {
	return figure{1 / (1/a.perSecond + 1/b.perSecond), 1 / (1/a.perCPU + 1/b.perCPU)}
}

func mean(a, b figure) figure {
	return figure{(a.perSecond + b.perSecond) / 2, (a.perCPU + b.perCPU) / 2}
}

// medians returns the median of each of the two speeds.
func medians(all []figure) figure {
	var seconds, cpu []float64
	for _, f := range all {
		seconds, cpu = append(seconds, f.perSecond), append(cpu, f.perCPU)
	}
	return figure{median(seconds), median(cpu)}
}

// ratio is the median ratio of a's speed to b's, of measurements at the same time.
func ratio(a, b []figure) figure {
	ratios := make([]figure, len(a))
	for i := range a {
		ratios[i] = figure{a[i].perSecond / b[i].perSecond, a[i].perCPU / b[i].perCPU}
	}
	return medians(ratios)
}

func median(of []float64) float64 {
	slices.Sort(of)
	return (of[(len(of)-1)/2] + of[len(of)/2]) / 2
}

// onAllCores runs work on every core for the given time, and measures its speed. Each call does count things. The first call
// of each core, which allocates, is not measured. Arguments of work are the numbers of the core and of its call.
func onAllCores(duration time.Duration, count int, work func(core, call int) error) (figure, error) {
	cores := runtime.GOMAXPROCS(0)
	if err := eachCore(cores, func(core int) error { return work(core, 0) }); err != nil {
		return figure{}, err
	}
	// Cores end their last calls at different times, so each core's speed is measured by its own clock.
	done, speeds := make([]int, cores), make([]float64, cores)
	cpu := ownCPU()
	err := eachCore(cores, func(core int) error {
		began := time.Now()
		for call := 1; time.Since(began) < duration; call++ {
			if err := work(core, call); err != nil {
				return err
			}
			done[core] += count
		}
		speeds[core] = float64(done[core]) / time.Since(began).Seconds()
		return nil
	})
	var f figure
	total := 0
	for core := range cores {
		f.perSecond += speeds[core]
		total += done[core]
	}
	f.perCPU = float64(total) / (ownCPU() - cpu).Seconds()
	return f, err
}

func eachCore(cores int, work func(core int) error) error {
	var group errgroup.Group
	for core := range cores {
		group.Go(func() error { return work(core) })
	}
	return group.Wait()
}

// ceilingBatch is the batch of one inference, as in moderator. Larger batches are not faster.
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
	}
	return onAllCores(duration, ceilingBatch, func(core, _ int) error { return runs[core].run() })
}

// pixels is a request for the model's pixels only.
func (m model) pixels() imaging.Request {
	return imaging.Request{Targets: []imaging.Target{m.target}, Limits: imaging.DefaultLimits()}
}

// signals is a request for everything that moderator compares.
func (m model) signals() imaging.Request {
	return imaging.Request{Targets: []imaging.Target{m.target}, Views: recognise.QueryViews(), Gray: true, Limits: imaging.DefaultLimits()}
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
