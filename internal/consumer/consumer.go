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

// Parts are the consumer's dependencies. The caller owns them and closes them after Run has returned.
type Parts struct {
	JetStream jetstream.JetStream
	Durable   jetstream.Consumer // of the uploads' stream
	Fetcher   Fetcher
	Decoder   Decoder
	Embedder  Embedder
	Matcher   Matcher
	Recent    Recent   // nil: uploads are not kept for look-backs
	Previews  Previews // nil: no pictures are kept
	Matches   []MatchObserver
	Metrics   prometheus.Registerer
	Tracer    trace.Tracer // nil: no spans
	Logger    *slog.Logger
}

// Consumer judges uploads. Create it with New and call Run once.
type Consumer struct {
	Parts
	cfg         Config
	metrics     *metrics
	memory      *semaphore.Weighted
	inFlight    inFlight
	summary     summary
	preparing   atomic.Int64 // uploads that a worker has or is about to get
	outages     *outages
	workerSlots chan struct{} // holds a token for each worker that has an item or is about to get one
	parked      []*item       // delivered during an outage; used by the goroutine of pull alone

	submitted chan *item    // from Judge
	stopping  chan struct{} // closed when Run takes no more of them

	durableCreated atomic.Pointer[time.Time] // see incarnation
}

// New returns a Consumer, or an error if cfg is invalid. The durable's own ack wait replaces cfg.AckWait, and its own limit
// of deliveries lowers cfg.Attempts.
func New(cfg Config, parts Parts) (*Consumer, error) {
	info := parts.Durable.CachedInfo().Config
	if info.AckWait > 0 {
		cfg.AckWait = info.AckWait
	}
	if info.MaxDeliver > 0 && info.MaxDeliver < cfg.Attempts {
		parts.Logger.Warn("the durable allows fewer deliveries than --attempts: its limit counts", "max_deliver", info.MaxDeliver, "attempts", cfg.Attempts)
		cfg.Attempts = info.MaxDeliver
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if parts.Tracer == nil {
		parts.Tracer = noop.NewTracerProvider().Tracer("")
	}
	c := &Consumer{
		Parts: parts, cfg: cfg, metrics: newMetrics(parts.Metrics), memory: semaphore.NewWeighted(cfg.MaxHeldBytes),
	}
	c.durableCreated.Store(&parts.Durable.CachedInfo().Created)
	c.submitted, c.stopping = make(chan *item), make(chan struct{})
	c.inFlight.items = map[*item]struct{}{}
	c.workerSlots = make(chan struct{}, cfg.Workers)
	c.outages = newOutages(c.Logger, c.metrics.away)
	return c, nil
}

// Run judges uploads until ctx is done. It then finishes the uploads that were pulled, within the drain time, and returns
// nil. It returns an error if uploads can no longer be pulled.
func (c *Consumer) Run(ctx context.Context) error {
	// work outlives ctx by the drain time, so that pulled uploads are finished.
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var background sync.WaitGroup
	background.Go(func() { c.keepAlive(work) })
	background.Go(func() { c.boundDrain(ctx, work, stop) })
	background.Go(func() { c.summarize(work) })

	pulled := make(chan *item)
	prepared := make(chan *item, c.cfg.BatchSize)
	batches := make(chan []*item)
	embedded := make(chan []*item, 1)
	var stages sync.WaitGroup
	stages.Go(func() { defer close(prepared); c.prepareAll(work, pulled, prepared) })
	stages.Go(func() {
		collect(prepared, batches, c.cfg.BatchSize, c.cfg.BatchAge, func() bool { return c.preparing.Load() > 0 })
	})
	// Each device has two batches, so that it never waits for the next. Two batches are finished at once: one is matched
	// while the other waits for acknowledgements.
	stages.Go(func() {
		defer close(embedded)
		runParallel(2*max(c.cfg.Devices, 1), func() { c.embedAll(work, batches, embedded) })
	})
	stages.Go(func() { runParallel(2, func() { c.finishAll(work, embedded) }) })
	err := c.pull(ctx, work, pulled) // closes pulled
	close(c.stopping)
	stages.Wait()
	stop()
	background.Wait()
	c.outages.probes.Wait()
	return err
}

// runParallel runs n copies of stage and waits for all of them.
func runParallel(n int, stage func()) {
	var all sync.WaitGroup
	for range n {
		all.Go(stage)
	}
	all.Wait()
}

// boundDrain cancels work when the drain time has passed after ctx is done.
func (c *Consumer) boundDrain(ctx, work context.Context, stop context.CancelFunc) {
	select {
	case <-ctx.Done():
	case <-work.Done():
		return
	}
	began, uploads := time.Now(), c.inFlight.count()
	c.Logger.Info("stopping: no more uploads are pulled, those in flight are finished", "uploads", uploads, "drain_time", c.cfg.DrainTime)
	timer := time.NewTimer(c.cfg.DrainTime)
	defer timer.Stop()
	select {
	case <-timer.C:
		c.Logger.Warn("the drain time is over: naks the uploads in flight", "uploads", c.inFlight.count())
		stop()
	case <-work.Done():
		c.Logger.Info("the uploads in flight are finished", "took", time.Since(began).Round(time.Millisecond))
	}
}

// Stuck returns the age of the oldest upload in flight, for a liveness probe. An outage resets that age, unless only a
// restart of the process can end it.
func (c *Consumer) Stuck() time.Duration { return c.inFlight.oldest(time.Now()) }

// keepAlive extends the ack wait of all uploads in flight, so that long work is not redelivered.
func (c *Consumer) keepAlive(ctx context.Context) {
	ticker := time.NewTicker(c.cfg.AckWait / 3)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			for _, it := range c.inFlight.all() {
				c.extend(it)
			}
		}
	}
}

// extend restarts the ack wait of a stream's upload.
func (c *Consumer) extend(it *item) {
	if it.request != nil {
		return
	}
	if err := it.msg.InProgress(); err != nil && !errors.Is(err, jetstream.ErrMsgAlreadyAckd) {
		c.Logger.Warn("could not extend an upload's ack wait", "upload", it.id(), "error", err)
	}
}

// inFlight is the set of uploads that were pulled and are not yet acknowledged.
type inFlight struct {
	mu      sync.Mutex
	items   map[*item]struct{}
	touched time.Time // when an outage was last seen that the uploads wait for
}

func (f *inFlight) add(it *item) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.items[it] = struct{}{}
}

func (f *inFlight) remove(it *item) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.items, it)
}

func (f *inFlight) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.items)
}

func (f *inFlight) all() []*item {
	f.mu.Lock()
	defer f.mu.Unlock()
	items := make([]*item, 0, len(f.items))
	for it := range f.items {
		items = append(items, it)
	}
	return items
}

// touch resets the age of all uploads.
func (f *inFlight) touch() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.touched = time.Now()
}

func (f *inFlight) oldest(now time.Time) (age time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for it := range f.items {
		age = max(age, now.Sub(it.pulled))
	}
	return min(age, now.Sub(f.touched))
}
