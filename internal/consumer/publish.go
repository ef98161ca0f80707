package consumer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"moderator/internal/decisions"
	"moderator/internal/event"
)

// publish stores the batch's decisions, and acknowledges each upload whose decision is stored. A decision that the stream
// does not take is offered again until it does: under its id it is taken once. Its upload is kept in hand until then, so that
// no others are pulled in its place, and so that it uses up no deliveries, after which it would be reviewed for what is no
// fault of its own. It is given back when ctx, the consumer's work, is done.
func (c *Consumer) publish(ctx context.Context, batch []*item) {
	for try := 1; ; try++ {
		var err error
		if batch, err = c.store(ctx, batch); len(batch) == 0 {
			c.outages.end(natsName)
			return
		}
		if !errors.Is(err, decisions.ErrFalseDuplicate) { // of this decision alone
			c.outages.begin(natsName, err)
		}
		c.flights.touch()
		c.metrics.retries.WithLabelValues(stagePublish).Add(float64(len(batch)))
		wait := c.cfg.probeWait(try)
		c.Logger.Warn("decisions wait to be stored", "uploads", len(batch), "try", try, "again_in", wait, "error", err)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			for _, it := range batch {
				c.nak(it, stagePublish, ctx.Err())
			}
			return
		}
	}
}

// offer is a decision on its way to the stream.
type offer struct {
	*item
	ack jetstream.PubAckFuture
	err error
}

// store publishes the batch's decisions, awaits them together within the budget, and returns the uploads whose decision the
// stream did not take, with the reason of one.
func (c *Consumer) store(ctx context.Context, batch []*item) (refused []*item, why error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Budget)
	defer cancel()
	start := time.Now()
	durable := c.durableNow(ctx)
	offers := make([]offer, len(batch))
	for i, it := range batch {
		it.decision.Timing.Total = since(it.pulled)
		offers[i] = c.offer(it)
	}
	var waiting sync.WaitGroup
	for i := range offers {
		waiting.Go(func() {
			o := &offers[i]
			c.await(ctx, o)
			if decisions.TooLarge(o.err) && o.decision.Upload.OmitAttributes() {
				c.Logger.Warn("the decision is too large, its attributes are left out", "upload", o.id(), "error", o.err)
				*o = c.offer(o.item)
				c.await(ctx, o)
			}
			c.metrics.observe(stagePublish, since(start))
			c.stageSpan(o.item, stagePublish, start, o.err)
			if o.err == nil {
				c.acknowledge(ctx, o.item, durable)
			}
		})
	}
	waiting.Wait()
	for _, o := range offers {
		switch {
		case o.err == nil:
		case decisions.Unfit(o.err):
			c.nak(o.item, stagePublish, fmt.Errorf("store the decision: %w", o.err))
		default:
			refused, why = append(refused, o.item), o.err
		}
	}
	return refused, why
}

func (c *Consumer) offer(it *item) (o offer) {
	o.item = it
	var msg *nats.Msg
	if _, msg, o.err = decisions.Message(it.decision); o.err != nil {
		return o
	}
	w3c.Inject(it.trace, carrier(msg.Header))
	o.ack, o.err = c.JetStream.PublishMsgAsync(msg)
	return o
}

// await waits until the stream has the decision. Where it has had one, that one stands.
func (c *Consumer) await(ctx context.Context, o *offer) {
	if o.err != nil {
		return
	}
	select {
	case got := <-o.ack.Ok():
		o.storedOn = c.connections()
		if got.Duplicate {
			c.metrics.duplicates.Inc()
			o.decision, o.err = decisions.First(ctx, c.JetStream, got, o.decision)
		}
	case o.err = <-o.ack.Err():
	case <-ctx.Done():
		o.err = ctx.Err()
	}
	if errors.Is(o.err, decisions.ErrFalseDuplicate) {
		c.metrics.falseDuplicates.Inc()
		c.Logger.Error("a decision is not stored", "upload", o.id(), "error", o.err)
	}
}

// acknowledge ends an upload whose decision is stored, and waits for the server's word. Where that fails the upload
// comes again, and its decision is known by its id.
func (c *Consumer) acknowledge(ctx context.Context, it *item, durable time.Time) {
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
	err := c.mayAck(ctx, it, durable)
	if err == nil {
		err = it.msg.DoubleAck(ctx)
	}
	switch {
	case err == nil:
	case errors.Is(err, errOtherMessage), errors.Is(err, errNoMessage):
		c.Logger.Info("a decided upload is not acknowledged", "upload", it.id(), "reason", err)
	default:
		c.Logger.Warn("could not acknowledge a decided upload, it will be redelivered", "upload", it.id(), "error", err)
		_ = it.msg.Nak() // at once; else after the ack wait
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

// giveBack deals with an upload that a stage failed on although its dependency answers: another delivery, or, after the
// last, a decision. ctx is the consumer's work, and not what bounds the stage, whose time may be what ran out.
func (c *Consumer) giveBack(ctx context.Context, it *item, stage string, err error) {
	if it.attempt >= c.cfg.Attempts && !errors.Is(err, context.Canceled) {
		c.Logger.Error("out of retries", "upload", it.id(), "attempt", it.attempt, "stage", stage, "error", err)
		c.unjudgeable(ctx, it, event.RetriesExhausted, fmt.Errorf("%s failed %d times, the last time: %w", stage, it.attempt, err))
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
