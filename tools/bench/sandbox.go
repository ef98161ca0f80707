package main

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"moderator/internal/imaging"
	"moderator/internal/sandbox"
)

// sandboxTurns is how often the two sides are measured, interleaved, so that the machine's drift meets both.
const sandboxTurns = 3

// sandbox compares decoding in moderator's confined workers with decoding in this process, by CPU time.
func (b *bench) sandbox(ctx context.Context) error {
	bin, err := filepath.Abs(filepath.Join(b.Bin, "moderator"))
	if err != nil {
		return err
	}
	request := b.models[0].signals()
	pool, err := sandbox.Start(sandbox.Options{
		Command: []string{bin, sandbox.Argument}, Request: request, Workers: runtime.GOMAXPROCS(0),
		MaxMemory: 1 << 30, CPUTime: 10 * time.Second, Timeout: 10 * time.Second, Recycle: 1 << 20,
		Metrics: prometheus.NewRegistry(),
	})
	if err != nil {
		return err
	}
	defer pool.Close()
	for _, p := range b.pictures {
		var inside, outside float64 // milliseconds of CPU for a picture, summed over the turns
		for range sandboxTurns {
			ms, err := b.decodeTurn(p.files, func(data []byte) error {
				_, err := imaging.Decode(data, request)
				return err
			})
			if err != nil {
				return err
			}
			inside += ms
			ms, err = b.decodeTurn(p.files, func(data []byte) error {
				_, err := pool.Decode(ctx, data)
				return err
			})
			if err != nil {
				return err
			}
			outside += ms
		}
		cost := 100 * (outside/inside - 1)
		b.report.add("sandbox", field{"size", p.name}, field{"cpu_ms_in_process", inside / sandboxTurns},
			field{"cpu_ms_sandboxed", outside / sandboxTurns}, field{"cost_percent", cost})
		b.report.below("cost of the sandbox, percent of decoding, "+p.name, cost, 5)
	}
	return nil
}

// decodeTurn decodes on all cores for a while, and returns the milliseconds of CPU time for each picture, with those of child
// processes. The servers are among them, and are idle.
func (b *bench) decodeTurn(files [][]byte, decode func(data []byte) error) (ms float64, err error) {
	before, err := usageOf(os.Getpid())
	if err != nil {
		return 0, err
	}
	var pictures atomic.Int64
	_, err = onAllCores(b.Time/5, 1, func(core, call int) error {
		pictures.Add(1)
		return decode(files[(core+call)%len(files)])
	})
	if err != nil {
		return 0, err
	}
	after, err := usageOf(os.Getpid())
	return (after.cpu - before.cpu).Seconds() * 1000 / float64(pictures.Load()), err
}
