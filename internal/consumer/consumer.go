package consumer

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
	"golang.org/x/sync/semaphore"
)

// Parts is what the consumer works with.
type Parts struct {
	JetStream jetstream.JetStream
	Durable   jetstream.Consumer // of the uploads' stream
	Fetcher   Fetcher
	Decoder   Decoder
	Embedder  Embedder
	Matcher   Matcher
	Recent    Recent // nil: nothing is kept
	Metrics   prometheus.Registerer
	Tracer    trace.Tracer // nil: no spans
	Logger    *slog.Logger
}

// Consumer judges uploads. It is made by New and run once.
type Consumer struct {
	Parts
	cfg     Config
	metrics *metrics
	held    *semaphore.Weighted
	flights flights
	coming  atomic.Int64 // uploads that are about to be prepared, or are
	outages *outages
	busy    chan struct{} // a token for each worker that has an item, or is about to get one
	parked  []*item       // by pull alone: delivered to us while a dependency is away

	durableMade atomic.Pointer[time.Time] // see place
}

// New checks the configuration against the durable's own: what exists on the server wins.
func New(cfg Config, parts Parts) (*Consumer, error) {
	info := parts.Durable.CachedInfo().Config
	if info.AckWait > 0 {
		cfg.AckWait = info.AckWait
	}
	if info.MaxDeliver > 0 && info.MaxDeliver < cfg.Attempts {
		parts.Logger.Warn("the durable delivers fewer times than configured", "max_deliver", info.MaxDeliver, "attempts", cfg.Attempts)
		cfg.Attempts = info.MaxDeliver
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if parts.Tracer == nil {
		parts.Tracer = noop.NewTracerProvider().Tracer("")
	}
	c := &Consumer{
		Parts: parts, cfg: cfg, metrics: newMetrics(parts.Metrics), held: semaphore.NewWeighted(cfg.MaxHeldBytes),
	}
	c.durableMade.Store(&parts.Durable.CachedInfo().Created)
	c.flights.items = map[*item]struct{}{}
	c.busy = make(chan struct{}, cfg.Workers)
	c.outages = newOutages(c.Logger, c.metrics.away)
	return c, nil
}

// Run judges uploads until ctx is done, then finishes what was pulled within the drain time and returns nil. It
// returns an error when the uploads can no longer be pulled.
func (c *Consumer) Run(ctx context.Context) error {
	// Uploads that were pulled are finished on a context of their own, which outlives ctx by the drain time.
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var background sync.WaitGroup
	background.Go(func() { c.keepAlive(work) })
	background.Go(func() { c.boundDrain(ctx, work, stop) })

	pulled := make(chan *item)
	prepared := make(chan *item, c.cfg.BatchSize)
	batches := make(chan []*item)
	embedded := make(chan []*item, 1)
	var stages sync.WaitGroup
	stages.Go(func() { defer close(prepared); c.prepareAll(work, pulled, prepared) })
	stages.Go(func() {
		collect(prepared, batches, c.cfg.BatchSize, c.cfg.BatchAge, func() bool { return c.coming.Load() > 0 })
	})
	// Each device has two batches to embed: when it is done with the one, it begins with the other. And two are finished at
	// once: the next is matched while the last waits for its acknowledgements.
	stages.Go(func() {
		defer close(embedded)
		sideBySide(2*max(c.cfg.Devices, 1), func() { c.embedAll(work, batches, embedded) })
	})
	stages.Go(func() { sideBySide(2, func() { c.finishAll(work, embedded) }) })
	err := c.pull(ctx, work, pulled) // closes pulled
	stages.Wait()
	stop()
	background.Wait()
	c.outages.probes.Wait()
	return err
}

// sideBySide runs n of a stage side by side, until all have returned.
func sideBySide(n int, stage func()) {
	var all sync.WaitGroup
	for range n {
		all.Go(stage)
	}
	all.Wait()
}

// boundDrain ends the work when the drain time after a shutdown has passed.
func (c *Consumer) boundDrain(ctx, work context.Context, stop context.CancelFunc) {
	select {
	case <-ctx.Done():
	case <-work.Done():
		return
	}
	timer := time.NewTimer(c.cfg.DrainTime)
	defer timer.Stop()
	select {
	case <-timer.C:
		c.Logger.Warn("drain time is over, giving uploads back", "uploads", c.flights.count())
		stop()
	case <-work.Done():
	}
}

// Stuck is how long the oldest upload in hand has been worked on: the liveness of the loop, whatever NATS and
// Postgres do. The time of an outage does not count, unless only a new process ends it.
func (c *Consumer) Stuck() time.Duration { return c.flights.oldest(time.Now()) }

// keepAlive tells the stream that uploads in hand are being worked on, so that long work is not delivered again.
func (c *Consumer) keepAlive(ctx context.Context) {
	ticker := time.NewTicker(c.cfg.AckWait / 3)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			for _, it := range c.flights.all() {
				c.extend(it)
			}
		}
	}
}

// extend lets an upload's ack wait begin anew.
func (c *Consumer) extend(it *item) {
	if err := it.msg.InProgress(); err != nil && !errors.Is(err, jetstream.ErrMsgAlreadyAckd) {
		c.Logger.Warn("could not extend an upload's time", "upload", it.id(), "error", err)
	}
}

// flights are the uploads in hand.
type flights struct {
	mu      sync.Mutex
	items   map[*item]struct{}
	touched time.Time // when they were last found to wait for NATS
}

func (f *flights) add(it *item) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.items[it] = struct{}{}
}

func (f *flights) remove(it *item) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.items, it)
}

func (f *flights) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.items)
}

func (f *flights) all() []*item {
	f.mu.Lock()
	defer f.mu.Unlock()
	items := make([]*item, 0, len(f.items))
	for it := range f.items {
		items = append(items, it)
	}
	return items
}

// touch lets the age of all that is in hand begin anew.
func (f *flights) touch() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.touched = time.Now()
}

func (f *flights) oldest(now time.Time) (age time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for it := range f.items {
		age = max(age, now.Sub(it.pulled))
	}
	return min(age, now.Sub(f.touched))
}
