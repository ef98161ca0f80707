package main

import (
	"context"
	"encoding/binary"
	"hash/fnv"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"moderator/internal/config"
	"moderator/internal/consumer"
	"moderator/internal/dependency"
	"moderator/internal/embed"
	"moderator/internal/event"
	"moderator/internal/fetch"
	"moderator/internal/imaging"
	"moderator/internal/recognise"
	"moderator/internal/sandbox"
)

// fastDevice measures the judging of uploads in this process with a simulated device, which is so fast that it never limits:
// by what is the pipeline saturated? The ceiling is the same decode workers alone, without NATS, Postgres and the consumer.
func (b *bench) fastDevice(ctx context.Context) error {
	m := b.models[len(b.models)-1]
	if err := b.servers.fill(ctx, m.fingerprint, m.dims, libraryFlags); err != nil {
		return err
	}
	p, err := b.startPipeline(ctx, m)
	if err != nil {
		return err
	}
	defer p.stop()
	for _, size := range b.pictures {
		if err := b.saturate(ctx, p, m, size); err != nil {
			return err
		}
	}
	return nil
}

// saturate interleaves the ceiling and the pipeline, so that the machine's drift meets both. The ratio is of CPU times, as by
// the clock Postgres and NATS use the same cores. cores_busy near 1 says that no stage waits for another.
func (b *bench) saturate(ctx context.Context, p *pipeline, m model, size pictures) error {
	var alone, whole []figure
	var turns []measured
	for round := range 1 + rounds {
		best, err := b.decodeAlone(ctx, p, size.files)
		if err != nil {
			return err
		}
		got, err := b.servers.measure(ctx, p.flow, size.files, max(fewest, int(best.perSecond*b.Time.Seconds()/rounds)))
		if err != nil {
			return err
		}
		if round == 0 { // warms up
			continue
		}
		got.workers -= got.postgres + got.nats // which are children of this process, too
		got.perCPU = 1000 / (got.own + got.workers)
		alone, whole, turns = append(alone, best), append(whole, got.figure), append(turns, got)
	}
	over, speed := ratio(whole, alone), medians(whole)
	busy := make([]float64, len(turns))
	for i, t := range turns {
		busy[i] = t.perSecond * (t.own + t.workers + t.postgres + t.nats) / 1000 / float64(runtime.GOMAXPROCS(0))
	}
	b.report.add("fast_device", field{"", over.perCPU}, field{"size", size.name}, field{"device_images_per_s", devicePerSecond},
		field{"ceiling_images_per_cpu_s", medians(alone).perCPU}, field{"images_per_cpu_s", speed.perCPU}, field{"images_per_s", speed.perSecond},
		field{"by_the_clock", over.perSecond}, field{"cores_busy", median(busy)}, field{"device_busy", p.device.busy()})
	b.cost(m, size.name, medians(alone), "without", turns)
	b.report.atLeast("fast_device "+size.name, over.perCPU, 0.9)
	return nil
}

// decodeAlone is the speed of the decode workers on all cores, with the hashes that the consumer computes of their answers.
func (b *bench) decodeAlone(ctx context.Context, p *pipeline, files [][]byte) (f figure, err error) {
	before, err := b.servers.usage(p.flow)
	if err != nil {
		return f, err
	}
	var decoded atomic.Int64
	f, err = onAllCores(b.Time/rounds, 1, func(core, call int) error {
		decoded.Add(1)
		_, err := p.decoder.Decode(ctx, files[(core+call)%len(files)])
		return err
	})
	if err != nil {
		return f, err
	}
	after, err := b.servers.usage(p.flow)
	servers := after.postgres.cpu - before.postgres.cpu + after.nats.cpu - before.nats.cpu
	f.perCPU = float64(decoded.Load()) / (after.program.cpu - before.program.cpu - servers).Seconds()
	return f, err
}

// pipeline is the stages of `moderator run` in this process, with its defaults and a simulated device.
type pipeline struct {
	flow    flow
	device  *device
	decoder recognise.Decoder
	stop    func()
}

func (b *bench) startPipeline(ctx context.Context, m model) (*pipeline, error) {
	var c struct {
		Settings config.Run `embed:""`
	}
	parser, err := config.New(&c, "bench", "", io.Discard, io.Discard)
	if err != nil {
		return nil, err
	}
	if _, err := parser.Parse(nil); err != nil {
		return nil, err
	}
	s, log, registry := c.Settings, slog.New(slog.DiscardHandler), prometheus.NewRegistry()
	folder, err := embed.LoadDir(m.dir)
	if err != nil {
		return nil, err
	}
	durable, _, err := consumer.EnsureStreams(ctx, b.servers.js, consumer.StreamOptions{
		Replicas: s.StreamReplicas, AckWait: s.AckWait, DuplicateWindow: s.DuplicateWindow, KeepDecisions: s.KeepDecisions, MaxAckPending: 4096,
	})
	if err != nil {
		return nil, err
	}
	options, err := recognise.WorkerOptions(s.Sandbox, log)
	if err != nil {
		return nil, err
	}
	bin, err := filepath.Abs(filepath.Join(b.Bin, "moderator"))
	if err != nil {
		return nil, err
	}
	options.Command, options.Metrics = []string{bin, sandbox.Argument}, registry
	options.Request = imaging.Request{Targets: []imaging.Target{m.target}, Views: recognise.QueryViews(), Gray: true, Limits: recognise.ImageLimits(s.Limits)}
	pool, err := sandbox.Start(options)
	if err != nil {
		return nil, err
	}
	fetcher, err := fetch.New(fetch.Config{Timeout: s.FetchTimeout, MaxRedirects: fetch.DefaultMaxRedirects}, b.servers.js)
	if err != nil {
		return nil, err
	}
	p := &pipeline{device: &device{dims: m.dims}, decoder: recognise.Decoder{Pool: pool}, flow: flow{uploadsStream, durableName, "uploads.bench", "decisions.>", os.Getpid()}}
	judge, err := consumer.New(consumer.Config{
		BatchSize: s.BatchSize, BatchAge: s.BatchAge, Devices: 1, Workers: options.Workers, MaxUploadBytes: s.MaxUploadBytes,
		MaxHeldBytes: s.MaxHeldBytes, Attempts: s.Attempts, Backoff: s.RetryBackoff, AckWait: s.AckWait, Budget: s.BatchBudget, DrainTime: s.DrainTime,
		Model: event.ModelInfo{Name: folder.Name(), Fingerprint: m.fingerprint},
	}, consumer.Parts{
		JetStream: b.servers.js, Durable: durable, Fetcher: fetcher, Decoder: p.decoder, Embedder: p.device, Metrics: registry, Logger: log,
		Matcher: recognise.NewMatcher(b.servers.db, []*embed.Folder{folder}, s.Candidates, s.FalseBlocks),
	})
	if err != nil {
		return nil, err
	}
	running, end := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- judge.Run(running) }()
	p.stop = func() {
		end()
		<-done
		pool.Close()
		fetcher.Close()
	}
	return p, nil
}

// devicePerSecond is the speed of the simulated device.
const devicePerSecond = 20_000

// device takes the time of a fast GPU for each batch, one batch after the other, and uses no CPU. Its vectors are unlike any
// other's.
type device struct {
	dims int

	mu    sync.Mutex
	began time.Time
	free  time.Time     // when the device has computed all batches
	used  time.Duration // of computing
}

// Embed implements consumer.Embedder.
func (d *device) Embed(ctx context.Context, crops [][]byte) ([][]float32, error) {
	took := time.Duration(len(crops)) * time.Second / devicePerSecond
	d.mu.Lock()
	now := time.Now()
	if d.began.IsZero() {
		d.began = now
	}
	if d.free.Before(now) {
		d.free = now
	}
	d.free = d.free.Add(took)
	d.used += took
	wait := d.free.Sub(now)
	d.mu.Unlock()
	vectors := make([][]float32, len(crops))
	for i, crop := range crops {
		vectors[i] = unrelated(crop, d.dims)
	}
	select {
	case <-time.After(wait):
		return vectors, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Dependency implements consumer.Embedder.
func (d *device) Dependency() dependency.Dependency {
	return dependency.Dependency{Name: "model", Probe: func(context.Context) error { return nil }}
}

// busy is the share of the time in which the device computes.
func (d *device) busy() float64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.used.Seconds() / time.Since(d.began).Seconds()
}

// unrelated is a vector of length 1 that only the crop's first bytes choose.
func unrelated(crop []byte, dims int) []float32 {
	hash := fnv.New64a()
	hash.Write(crop[:min(len(crop), 4096)])
	r := rand.New(rand.NewPCG(binary.LittleEndian.Uint64(hash.Sum(nil)), 1))
	v, sum := make([]float32, dims), 0.0
	for i := range v {
		v[i] = r.Float32() - 0.5
		sum += float64(v[i]) * float64(v[i])
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(sum))
	}
	return v
}
