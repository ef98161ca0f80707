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

// natsName names the outage in which NATS refuses decisions. Republishing them is its probe.
const natsName = "nats"

// longestProbe bounds the delay between two probes, and so how late the end of an outage is noticed.
const longestProbe = 5 * time.Second

// outages is the breaker: the set of dependencies that are away. While it is not empty, no uploads are pulled.
type outages struct {
	log    *slog.Logger
	gauge  *prometheus.GaugeVec
	probes sync.WaitGroup

	mu    sync.Mutex
	open  map[string]*outage
	began chan struct{} // closed while open is not empty
	ended chan struct{} // closed while open is empty
}

type outage struct {
	since time.Time
	err   error         // of the last probe
	over  chan struct{} // closed when the outage ends
}

func newOutages(log *slog.Logger, gauge *prometheus.GaugeVec) *outages {
	o := &outages{log: log, gauge: gauge, open: map[string]*outage{}, began: make(chan struct{}), ended: make(chan struct{})}
	close(o.ended)
	return o
}

// begin adds an outage, or updates the error of one that lasts. fresh reports a new one, which the caller must end.
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

// end removes the outage of a dependency that answers. It does nothing if there is no such outage.
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

// signals returns two channels: began is closed while a dependency is away, ended while all answer.
func (o *outages) signals() (began, ended <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.began, o.ended
}

// find returns the dependency's outage, or nil.
func (o *outages) find(name string) *outage {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.open[name]
}

func (o *outages) lines() (lines []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for name, out := range o.open {
		lines = append(lines, fmt.Sprintf("%s: away for %v, no uploads are pulled: %v", name, time.Since(out.since).Round(time.Second), out.err))
	}
	slices.Sort(lines)
	return lines
}

// Away returns a line for each dependency that is away: its name, for how long, and the last error.
func (c *Consumer) Away() []string { return c.outages.lines() }

// call runs do, which uses the dependency. During an outage it waits and runs do again, until ctx is done. It returns an
// error of do only if do failed twice while the dependency answered its probe: the fault is then the request's own.
func (c *Consumer) call(ctx context.Context, d dependency.Dependency, do func() error) error {
	for failed := false; ; {
		err := do()
		var permanent *event.Unjudgeable
		if err == nil || errors.As(err, &permanent) || ctx.Err() != nil {
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

// away probes a dependency that failed. It returns its outage, or nil if the dependency answers.
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
			c.inFlight.touch()
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
