package consumer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"moderator/internal/event"
)

// DecisionSubject is where decisions of a verdict are published.
func DecisionSubject(v event.Verdict) string { return "decisions." + string(v) }

// publish stores the batch's decisions, and acknowledges each upload whose decision is stored. The publishes are
// awaited together. An upload whose decision could not be stored is given back: its next delivery publishes the same
// id, which the stream takes once.
func (c *Consumer) publish(ctx context.Context, batch []*item) {
	acks := make([]jetstream.PubAckFuture, len(batch))
	errs := make([]error, len(batch))
	start := time.Now()
	for i, it := range batch {
		it.decision.Timing.Total = since(it.pulled)
		id, data, err := it.decision.Encode(time.Now())
		if err != nil {
			errs[i] = err
			continue
		}
		msg := nats.NewMsg(DecisionSubject(it.decision.Verdict))
		msg.Header.Set("Content-Type", "application/cloudevents+json")
		w3c.Inject(it.trace, carrier(msg.Header))
		msg.Data = data
		acks[i], errs[i] = c.JetStream.PublishMsgAsync(msg, jetstream.WithMsgID(id))
	}
	var waiting sync.WaitGroup
	for i, it := range batch {
		waiting.Go(func() {
			if errs[i] == nil {
				errs[i] = c.stored(ctx, acks[i])
			}
			c.metrics.observe(stagePublish, since(start))
			c.stageSpan(it, stagePublish, start, errs[i])
			if errs[i] != nil {
				c.nak(it, stagePublish, fmt.Errorf("store the decision: %w", errs[i]))
				return
			}
			c.acknowledge(ctx, it)
		})
	}
	waiting.Wait()
}

// stored waits until the stream has the decision.
func (c *Consumer) stored(ctx context.Context, ack jetstream.PubAckFuture) error {
	select {
	case got := <-ack.Ok():
		if got.Duplicate {
			c.metrics.duplicates.Inc()
		}
		return nil
	case err := <-ack.Err():
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// acknowledge ends an upload whose decision is stored, and waits for the server's word. Where that fails the upload
// comes again, and its decision is known by its id.
func (c *Consumer) acknowledge(ctx context.Context, it *item) {
	defer c.done(it)
	defer c.endTrace(it, nil)
	d := it.decision
	c.metrics.observe(stageTotal, d.Timing.Total)
	c.metrics.uploads.WithLabelValues(string(d.Verdict), string(d.Reason)).Inc()
	attrs := []any{"upload", d.Upload.ID, "subject", d.Upload.Subject, "reason", d.Reason, "ms", d.Timing.Total}
	if d.Match != nil {
		attrs = append(attrs, "signal", d.Signal, "bank", d.Match.Bank, "flagged", d.Match.FlaggedID, "view", d.Match.View, "score", d.Match.Score)
	}
	if d.Detail != "" {
		attrs = append(attrs, "detail", d.Detail)
	}
	c.Logger.Info(string(d.Verdict), attrs...)
	if c.Recent != nil && judged(d.Reason) {
		c.Recent.Keep(d.Upload, it.views)
	}
	if err := it.msg.DoubleAck(ctx); err != nil {
		c.Logger.Warn("could not acknowledge a decided upload, it will come again", "upload", it.id(), "error", err)
	}
}

// judged tells the reasons of uploads that were compared with the library.
func judged(reason event.Reason) bool {
	switch reason {
	case event.Match, event.NoMatch, event.AllowListed, event.LowDetail:
		return true
	}
	return false
}

// giveBack deals with an upload whose dependency failed: another delivery, or, after the last, a decision.
func (c *Consumer) giveBack(ctx context.Context, it *item, stage string, err error) {
	if it.attempt >= c.cfg.Attempts && !errors.Is(err, context.Canceled) {
		c.Logger.Error("out of retries", "upload", it.id(), "attempt", it.attempt, "stage", stage, "error", err)
		// The stage's own time may be what ran out.
		c.unjudgeable(context.WithoutCancel(ctx), it, event.RetriesExhausted, fmt.Errorf("%s failed %d times, the last time: %w", stage, it.attempt, err))
		return
	}
	c.nak(it, stage, err)
}

// nak returns an upload to the stream: at once when we are shutting down, else after a back-off.
func (c *Consumer) nak(it *item, stage string, err error) {
	defer c.done(it)
	defer c.endTrace(it, err)
	wait := c.cfg.backoff(it.attempt)
	if errors.Is(err, context.Canceled) {
		wait = 0
	} else {
		c.Logger.Warn("will be tried again", "upload", it.id(), "attempt", it.attempt, "in", wait, "stage", stage, "error", err)
	}
	c.metrics.retries.WithLabelValues(stage).Inc()
	if nakErr := it.msg.NakWithDelay(wait); nakErr != nil {
		c.Logger.Warn("could not give an upload back, it comes again after the ack wait", "upload", it.id(), "error", nakErr)
	}
}
