package consumer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"moderator/internal/dependency"
	"moderator/internal/event"

	"github.com/prometheus/client_golang/prometheus"
)

// natsName is the outage of decisions that NATS does not take. Offering them again is its probe.
const natsName = "nats"

// longestProbe bounds the wait between two probes, and so what an outage lasts longer for us.
const longestProbe = 5 * time.Second

// outages is the breaker: the dependencies that are away. Nothing is pulled while there are any.
type outages struct {
	log    *slog.Logger
	gauge  *prometheus.GaugeVec
	probes sync.WaitGroup

	mu    sync.Mutex
	open  map[string]*outage
	began chan struct{} // closed while open is not empty
	ended chan struct{} // closed while it is
}

type outage struct {
	since time.Time
	err   error         // the last one
	over  chan struct{} // closed at its end
}

func newOutages(log *slog.Logger, gauge *prometheus.GaugeVec) *outages {
	o := &outages{log: log, gauge: gauge, open: map[string]*outage{}, began: make(chan struct{}), ended: make(chan struct{})}
	close(o.ended)
	return o
}

// begin opens the breaker, or renews the error of an outage that lasts. Whoever began it has to end it.
func (o *outages) begin(name string, err error) (out *outage, fresh bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if known := o.open[name]; known != nil {
		known.err = err
		return known, false
	}
	if len(o.open) == 0 {
		close(o.began)
		o.ended = make(chan struct{})
	}
	out = &outage{since: time.Now(), err: err, over: make(chan struct{})}
	o.open[name] = out
	o.gauge.WithLabelValues(name).Set(1)
	o.log.Error("a dependency is away: no uploads are pulled until it answers", "dependency", name, "error", err)
	return out, true
}

// end closes the breaker for a dependency that answers.
func (o *outages) end(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := o.open[name]
	if out == nil {
		return
	}
	delete(o.open, name)
	close(out.over)
	if len(o.open) == 0 {
		close(o.ended)
		o.began = make(chan struct{})
	}
	o.gauge.WithLabelValues(name).Set(0)
	o.log.Info("a dependency is back", "dependency", name, "away", time.Since(out.since).Round(time.Millisecond))
}

// signals are closed while a dependency is away, and while none is.
func (o *outages) signals() (began, ended <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.began, o.ended
}

// find returns the outage that lasts, or nil.
func (o *outages) find(name string) *outage {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.open[name]
}

// lines say what is away, for how long, and why.
func (o *outages) lines() (lines []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for name, out := range o.open {
		lines = append(lines, fmt.Sprintf("%s: away for %v, no uploads are pulled: %v", name, time.Since(out.since).Round(time.Second), out.err))
	}
	slices.Sort(lines)
	return lines
}

// Away says which dependencies are away, a line each.
func (c *Consumer) Away() []string { return c.outages.lines() }

// ask puts a question to a dependency. It waits for the end of an outage and asks again, for as long as ctx, the consumer's
// work, lasts. An error that it returns is the question's own: it failed twice while the dependency answered others.
func (c *Consumer) ask(ctx context.Context, d dependency.Dependency, question func() error) error {
	for failed := false; ; {
		err := question()
		var verdict *event.Unjudgeable
		if err == nil || errors.As(err, &verdict) || ctx.Err() != nil {
			return err
		}
		out := c.away(ctx, d)
		if out == nil && failed {
			return err
		}
		if failed = out == nil; failed {
			continue
		}
		select {
		case <-out.over:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// away probes a dependency that failed, and returns its outage, or nil where it answers.
func (c *Consumer) away(ctx context.Context, d dependency.Dependency) *outage {
	if out := c.outages.find(d.Name); out != nil {
		return out
	}
	err := c.probe(ctx, d)
	if err == nil || ctx.Err() != nil {
		return nil
	}
	out, fresh := c.outages.begin(d.Name, err)
	if fresh {
		c.outages.probes.Go(func() { c.probeUntilBack(ctx, d) })
	}
	return out
}

func (c *Consumer) probe(ctx context.Context, d dependency.Dependency) error {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.probeTime())
	defer cancel()
	return d.Probe(ctx)
}

func (c *Consumer) probeUntilBack(ctx context.Context, d dependency.Dependency) {
	for try := 1; ; try++ {
		if !d.Restart {
			c.flights.touch()
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(c.cfg.probeWait(try)):
		}
		err := c.probe(ctx, d)
		if err == nil {
			c.outages.end(d.Name)
			return
		}
		if ctx.Err() == nil {
			c.outages.begin(d.Name, err)
		}
	}
}
