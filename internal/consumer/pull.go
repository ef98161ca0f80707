package consumer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"moderator/internal/event"
)

// pullBytes bounds what the client library holds for us. Without it the default pull asks for 500 messages, passes
// the server's pending limit with pictures, and is cut off as a slow consumer again and again.
const pullBytes = 32 << 20

// pull hands uploads to out, one at a time, as fast as they are taken; it closes out when it returns. It pauses while a
// dependency is away. Uploads that the client library still holds then, or at a shutdown, are taken over: they were delivered
// to us.
func (c *Consumer) pull(ctx, work context.Context, out chan<- *item) error {
	defer close(out)
	defer c.returnParked()
	for {
		c.unpark(ctx, work, out)
		if ctx.Err() != nil {
			return nil
		}
		consuming, err := c.consume(work, out)
		if err != nil {
			return err
		}
		closed := consuming.Closed() // after the last upload was handed over
		began, _ := c.outages.signals()
		select {
		case <-ctx.Done():
		case <-began:
		case <-closed:
		}
		consuming.Drain()
		select {
		case <-closed:
		case <-work.Done(): // the drain time is over
			consuming.Stop()
			<-closed
		}
		if ctx.Err() != nil {
			return nil
		}
		if c.JetStream.Conn().IsClosed() {
			return fmt.Errorf("the connection to NATS is closed: %w", nats.ErrConnectionClosed)
		}
		if err := c.resume(ctx); err != nil || ctx.Err() != nil {
			return err
		}
	}
}

// consume takes uploads by a callback. The client library's other way, an iterator, has room for exactly the messages of
// one pull: after a lost connection it asks for that many more beside those that it holds, and drops what has no room
// whenever the stages are busy. Each would come again only after the ack wait.
func (c *Consumer) consume(work context.Context, out chan<- *item) (jetstream.ConsumeContext, error) {
	bytes := pullBytes
	if most := int(c.JetStream.Conn().MaxPayload()); bytes < 2*most {
		bytes = 2 * most // a single message larger than the limit would stop the pull
	}
	consuming, err := c.Durable.Consume(func(msg jetstream.Msg) { c.take(work, msg, out) },
		jetstream.PullMaxMessagesWithBytesLimit(2*c.cfg.BatchSize, bytes),
		jetstream.ConsumeErrHandler(func(_ jetstream.ConsumeContext, err error) {
			c.Logger.Warn("pulling uploads was interrupted", "error", err)
		}))
	if err != nil {
		return nil, fmt.Errorf("pull uploads from durable %s: %w", c.Durable.CachedInfo().Name, err)
	}
	return consuming, nil
}

// resume waits until the durable can be reached, after the server ended a pull. A durable that is gone for good is an
// error.
func (c *Consumer) resume(ctx context.Context) error {
	for {
		info, err := c.Durable.Info(ctx)
		if errors.Is(err, jetstream.ErrConsumerNotFound) || errors.Is(err, jetstream.ErrStreamNotFound) {
			return fmt.Errorf("the durable of the uploads was deleted: %w: start moderator again to create it", err)
		}
		if err == nil && info != nil {
			c.durableMade.Store(&info.Created)
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
		}
	}
}

// take makes an item of a message and hands it on, once there is room for its bytes.
func (c *Consumer) take(ctx context.Context, msg jetstream.Msg, out chan<- *item) {
	meta, err := msg.Metadata()
	if err != nil {
		c.Logger.Warn("passed over a message that is not JetStream's", "subject", msg.Subject(), "error", err)
		return
	}
	it := &item{msg: msg, attempt: int(meta.NumDelivered), pulled: time.Now(), place: c.place()}
	it.upload, err = event.ParseUpload(event.Message{
		Subject: msg.Subject(), Stream: meta.Stream, Sequence: meta.Sequence.Stream, Timestamp: meta.Timestamp,
		Header: msg.Headers(), Data: msg.Data(),
	})
	it.decision.Upload = event.NewUploadInfo(it.upload)
	it.decision.Model = c.cfg.Model
	stored := notAfter(it.pulled, meta.Timestamp)
	it.decision.Timing.Queue = milliseconds(it.pulled.Sub(stored))
	c.metrics.observe(stageQueue, it.decision.Timing.Queue)
	c.startTrace(it, stored)
	c.flights.add(it)
	c.metrics.inFlight.Inc()
	switch {
	case err != nil:
		it.refused = &event.Unjudgeable{Reason: event.Undecodable, Err: err}
	case it.attempt > c.cfg.Attempts: // the deliveries before ended without a word: a crash, most likely this upload's
		it.refused = &event.Unjudgeable{Reason: event.RetriesExhausted, Err: fmt.Errorf("delivered %d times, and never acknowledged", it.attempt-1)}
	}
	c.enter(ctx, it, out)
}

// enter hands an item on once a worker is free and there is room for its bytes, or parks it when a dependency is away: others
// that were delivered with it have to be kept alive too. The worker comes first: what waits for one holds no room, for which
// the workers may be waiting.
func (c *Consumer) enter(ctx context.Context, it *item, out chan<- *item) {
	calm, stop := c.calm(ctx)
	defer stop()
	if calm.Err() != nil {
		c.park(it)
		return
	}
	select {
	case c.busy <- struct{}{}:
	case <-calm.Done():
		c.park(it)
		return
	}
	if err := c.hold(calm, it, int64(len(it.msg.Data()))); err != nil {
		<-c.busy
		c.park(it)
		return
	}
	c.coming.Add(1)
	out <- it
}

// park keeps an item aside. The client library may have held it for most of its ack wait already.
func (c *Consumer) park(it *item) {
	c.extend(it)
	c.parked = append(c.parked, it)
}

// calm is done when ctx is or a dependency is away.
func (c *Consumer) calm(ctx context.Context) (calm context.Context, stop context.CancelFunc) {
	calm, stop = context.WithCancel(ctx)
	began, _ := c.outages.signals()
	select {
	case <-began:
		stop()
	default:
		go func() {
			select {
			case <-began:
				stop()
			case <-calm.Done():
			}
		}()
	}
	return calm, stop
}

// unpark waits until nothing is away and hands on what was parked, or until ctx is done.
func (c *Consumer) unpark(ctx, work context.Context, out chan<- *item) {
	for ctx.Err() == nil {
		_, ended := c.outages.signals()
		select {
		case <-ended:
		case <-ctx.Done():
			return
		}
		if len(c.parked) == 0 {
			return
		}
		again := c.parked
		c.parked = nil
		for _, it := range again {
			c.enter(work, it, out)
		}
	}
}

// returnParked gives back what was parked, at a shutdown.
func (c *Consumer) returnParked() {
	for _, it := range c.parked {
		c.nak(it, stageQueue, context.Canceled)
	}
	c.parked = nil
}

// hold waits for room for an item's bytes: its message's, or, of a reference, those that its store announces.
func (c *Consumer) hold(ctx context.Context, it *item, bytes int64) error {
	bytes = min(bytes, c.cfg.MaxHeldBytes)
	if err := c.held.Acquire(ctx, bytes); err != nil {
		return err
	}
	it.held = bytes
	c.metrics.heldBytes.Add(float64(bytes))
	return nil
}

// growHold makes the item's reservation as large as given, where there is room at once.
func (c *Consumer) growHold(it *item, bytes int64) bool {
	more := bytes - it.held
	if more <= 0 {
		return true
	}
	if !c.held.TryAcquire(more) {
		return false
	}
	it.held = bytes
	c.metrics.heldBytes.Add(float64(more))
	return true
}

// shrinkHold gives back what a reservation had too much, once the size is known.
func (c *Consumer) shrinkHold(it *item, size int64) {
	if spare := it.held - size; spare > 0 {
		c.metrics.heldBytes.Sub(float64(spare)) // before another upload may take the room
		c.held.Release(spare)
		it.held = size
	}
}

// done ends an item's life here: acknowledged, or given back.
func (c *Consumer) done(it *item) {
	c.shrinkHold(it, 0)
	c.flights.remove(it)
	c.metrics.inFlight.Dec()
}
