package consumer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"moderator/internal/event"
)

// request is a call of Judge that waits for an item's decision.
type request struct {
	publish bool         // the decision to DECISIONS
	answer  chan outcome // buffered for one
}

type outcome struct {
	decision event.Decision
	err      error
}

// ErrUnavailable means that uploads cannot be judged now: a dependency is away, or the consumer stops.
var ErrUnavailable = errors.New("uploads cannot be judged now")

// Judge decides an upload that is not in the stream. The upload shares workers, memory and batches with the stream's
// uploads. A failed stage is an error, after which the caller may try again. With publish, Judge stores the decision before
// it returns.
//
// Judge returns early when ctx is done or, with ErrUnavailable, when a dependency is away. Such an upload may be decided, and
// its decision stored, nevertheless.
func (c *Consumer) Judge(ctx context.Context, u event.Upload, publish bool) (event.Decision, error) {
	began, _ := c.outages.signals()
	it := c.newItem(u, time.Now())
	it.request = &request{publish, make(chan outcome, 1)}
	c.track(it)
	c.startTrace(ctx, it, it.pulled)
	if err := c.submit(ctx, it, began); err != nil {
		c.nak(it, stageQueue, err)
		return event.Decision{}, err
	}
	select {
	case o := <-it.request.answer:
		return o.decision, o.err
	case <-ctx.Done():
		return event.Decision{}, ctx.Err()
	case <-began:
		return event.Decision{}, c.unavailable()
	}
}

// submit hands an item to a worker.
func (c *Consumer) submit(ctx context.Context, it *item, began <-chan struct{}) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-began:
		case <-c.stopping:
		case <-ctx.Done():
		}
		cancel()
	}()
	if c.admit(ctx, it, int64(len(it.upload.Body))) != nil {
		return c.unavailable()
	}
	c.preparing.Add(1)
	select {
	case c.submitted <- it:
		return nil
	case <-ctx.Done():
		c.preparing.Add(-1)
		<-c.workerSlots
		return c.unavailable()
	}
}

func (c *Consumer) unavailable() error {
	if away := c.Away(); len(away) > 0 {
		return fmt.Errorf("%w: %s", ErrUnavailable, strings.Join(away, "; "))
	}
	return ErrUnavailable
}
