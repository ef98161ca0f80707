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

// publish stores the batch's decisions and acknowledges each upload whose decision is stored. It republishes the decisions
// that the stream refused until all are stored; their ids keep them single. Meanwhile the uploads stay in flight, so that
// an outage costs no attempts and no further uploads are pulled. When ctx is done, the remaining uploads are nak'd.
func (c *Consumer) publish(ctx context.Context, batch []*item) {
	for try := 1; ; try++ {
		var err error
		if batch, err = c.store(ctx, batch); len(batch) == 0 {
			c.outages.end(natsName)
			return
		}
		if !errors.Is(err, decisions.ErrFalseDuplicate) { // which concerns one decision only
			c.outages.begin(natsName, err)
		}
		c.inFlight.touch()
		c.metrics.retries.WithLabelValues(stagePublish).Add(float64(len(batch)))
		wait := c.cfg.probeWait(try)
		c.Logger.Warn("could not store decisions, will republish them", "decisions", len(batch), "try", try, "in", wait, "error", err)
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

// publication is a decision that was published and whose acknowledgement is pending.
type publication struct {
	*item
	ack jetstream.PubAckFuture
	err error
}

// store publishes the batch's decisions and waits for all acknowledgements, within the budget. It returns the uploads whose
// decision the stream refused, and the error of one of them.
func (c *Consumer) store(ctx context.Context, batch []*item) (refused []*item, why error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Budget)
	defer cancel()
	start := time.Now()
	durable := c.durableNow(ctx)
	published := make([]publication, len(batch))
	for i, it := range batch {
		it.decision.Timing.Total = since(it.pulled)
		published[i] = c.publishAsync(it)
	}
	var waiting sync.WaitGroup
	for i := range published {
		waiting.Go(func() {
			p := &published[i]
			c.await(ctx, p)
			if decisions.TooLarge(p.err) && p.decision.Upload.OmitAttributes() {
				c.Logger.Warn("the decision is too large, its attributes are left out", "upload", p.id(), "error", p.err)
				*p = c.publishAsync(p.item)
				c.await(ctx, p)
			}
			c.metrics.observe(stagePublish, since(start))
			c.stageSpan(p.item, stagePublish, start, p.err)
			if p.err == nil {
				c.acknowledge(ctx, p.item, durable)
			}
		})
	}
	waiting.Wait()
	for _, p := range published {
		switch {
		case p.err == nil:
		case decisions.Unfit(p.err):
			c.nak(p.item, stagePublish, fmt.Errorf("store the decision: %w", p.err))
		default:
			refused, why = append(refused, p.item), p.err
		}
	}
	return refused, why
}

// publishAsync publishes an item's decision, unless the item is a request for a decision that is not stored.
func (c *Consumer) publishAsync(it *item) (p publication) {
	p.item = it
	if it.unpublished() {
		return p
	}
	var msg *nats.Msg
	if _, msg, p.err = decisions.Message(it.decision); p.err != nil {
		return p
	}
	w3c.Inject(it.trace, carrier(msg.Header))
	p.ack, p.err = c.JetStream.PublishMsgAsync(msg)
	return p
}

// await waits until the stream has stored the decision. If it had stored an earlier one of that id, the earlier one stands.
func (c *Consumer) await(ctx context.Context, p *publication) {
	if p.err != nil || p.ack == nil {
		return
	}
	select {
	case ack := <-p.ack.Ok():
		p.storedOn = c.connections()
		if ack.Duplicate {
			c.metrics.duplicates.Inc()
			p.decision, p.err = decisions.First(ctx, c.JetStream, ack, p.decision)
		}
	case p.err = <-p.ack.Err():
	case <-ctx.Done():
		p.err = ctx.Err()
	}
	if errors.Is(p.err, decisions.ErrFalseDuplicate) {
		c.metrics.falseDuplicates.Inc()
		c.Logger.Error("a decision is not stored", "upload", p.id(), "error", p.err)
	}
}

// acknowledge acks an upload whose decision is stored, and waits for the server's confirmation. If that fails, the upload
// is redelivered, and the decision's id keeps it from being decided twice. durable is when the server's durable was created.
func (c *Consumer) acknowledge(ctx context.Context, it *item, durable time.Time) {
	defer c.done(it)
	defer c.endTrace(it, nil)
	d := it.decision
	c.metrics.observe(stageTotal, d.Timing.Total)
	c.metrics.uploads.WithLabelValues(string(d.Verdict), string(d.Reason)).Inc()
	for _, s := range d.Shadow {
		c.metrics.shadow.WithLabelValues(s.Bank, string(s.Verdict)).Inc()
	}
	attrs := []any{"upload", d.Upload.ID, "subject", d.Upload.Subject, "reason", d.Reason, "ms", d.Timing.Total}
	if d.Match != nil {
		attrs = append(attrs, "signal", d.Signal, "bank", d.Match.Bank, "flagged", d.Match.FlaggedID, "view", d.Match.View, "score", d.Match.Score)
	}
	if d.Detail != "" {
		attrs = append(attrs, "detail", d.Detail)
	}
	c.summary.count(d.Verdict)
	c.Logger.Log(ctx, c.cfg.decisionLevel(), string(d.Verdict), attrs...)
	if c.Recent != nil && judged(d.Reason) && !it.unpublished() {
		c.Recent.Keep(d.Upload, it.views)
	}
	if c.Previews != nil && d.Verdict == event.Review && len(it.upload.Body) > 0 && !it.unpublished() {
		c.Previews.Keep(d.Upload, it.upload.Body)
	}
	if d.Match != nil && !it.unpublished() {
		for _, o := range c.Matches {
			o.ObserveMatch(d)
		}
	}
	if it.request != nil {
		it.request.answer <- outcome{decision: d}
		return
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
		_ = it.msg.Nak() // for a redelivery at once, not after the ack wait
	}
}

// judged reports whether uploads with this reason were compared with the library.
func judged(reason event.Reason) bool {
	switch reason {
	case event.Match, event.NoMatch, event.AllowListed, event.LowDetail:
		return true
	}
	return false
}

// retry naks an upload that a stage failed on although its dependency answers. After the last attempt it decides the upload
// review. ctx must not be the stage's own context, whose deadline may have passed.
func (c *Consumer) retry(ctx context.Context, it *item, stage string, err error) {
	if it.request == nil && it.attempt >= c.cfg.Attempts && !errors.Is(err, context.Canceled) {
		c.Logger.Error("no attempts are left, decides review", "upload", it.id(), "attempt", it.attempt, "stage", stage, "error", err)
		c.review(ctx, it, event.RetriesExhausted, fmt.Errorf("%s failed %d times, the last time: %w", stage, it.attempt, err))
		return
	}
	c.nak(it, stage, err)
}

// nak asks for a redelivery: at once if err is context.Canceled (a shutdown), else after the back-off. A request is answered
// with the error.
func (c *Consumer) nak(it *item, stage string, err error) {
	defer c.done(it)
	defer c.endTrace(it, err)
	if it.request != nil {
		it.request.answer <- outcome{err: fmt.Errorf("%s: %w", stage, err)}
		return
	}
	wait := c.cfg.backoff(it.attempt)
	if errors.Is(err, context.Canceled) {
		wait = 0
	} else {
		c.Logger.Warn("an upload failed, it will be redelivered", "upload", it.id(), "attempt", it.attempt, "in", wait, "stage", stage, "error", err)
	}
	c.metrics.retries.WithLabelValues(stage).Inc()
	if nakErr := it.msg.NakWithDelay(wait); nakErr != nil {
		c.Logger.Warn("could not nak an upload, it will be redelivered after the ack wait", "upload", it.id(), "error", nakErr)
	}
}
