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

// pullBytes bounds what the client library buffers. Its default of 500 pictures exceeds the server's pending limit, and the
// server would cut the connection as a slow consumer.
const pullBytes = 32 << 20

// pull sends uploads to out, and closes out when it returns. It pauses while a dependency is away. When it pauses or shuts
// down, it also takes the uploads that the client library has buffered, because they were delivered to this process.
func (c *Consumer) pull(ctx, work context.Context, out chan<- *item) error {
	defer close(out)
	defer c.nakParked()
	for {
		c.unpark(ctx, work, out)
		if ctx.Err() != nil {
			return nil
		}
		unanswered := make(chan struct{}, 1)
		consuming, err := c.consume(work, out, unanswered)
		if err != nil {
			return err
		}
		closed := consuming.Closed() // closed after the last buffered upload was received
		began, _ := c.outages.signals()
		select {
		case <-ctx.Done():
		case <-began:
		case <-closed:
		case <-unanswered:
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

// consume receives uploads by a callback. The client library's iterator buffers the messages of one pull only: after a
// lost connection it pulls as many again, and drops those that do not fit. They would be redelivered after the ack wait.
//
// It signals unanswered when nothing answers a pull. The durable may be gone: the server tells that to pulls alone that wait when
// it is deleted, and the client library goes on pulling.
func (c *Consumer) consume(work context.Context, out chan<- *item, unanswered chan<- struct{}) (jetstream.ConsumeContext, error) {
	// A single message larger than the limit would stop the pull.
	bytes := max(pullBytes, 2*int(c.JetStream.Conn().MaxPayload()))
	consuming, err := c.Durable.Consume(func(msg jetstream.Msg) { c.receive(work, msg, out) },
		jetstream.PullMaxMessagesWithBytesLimit(2*c.cfg.BatchSize, bytes),
		jetstream.ConsumeErrHandler(func(_ jetstream.ConsumeContext, err error) {
			c.Logger.Warn("pulling uploads was interrupted", "error", err)
			if errors.Is(err, nats.ErrNoResponders) {
				select {
				case unanswered <- struct{}{}:
				default:
				}
			}
		}))
	if err != nil {
		return nil, fmt.Errorf("pull uploads from durable %s: %w", c.Durable.CachedInfo().Name, err)
	}
	return consuming, nil
}

// resume waits until the durable can be reached, after the server ended a pull. It returns an error if the durable was
// deleted.
func (c *Consumer) resume(ctx context.Context) error {
	for {
		info, err := c.Durable.Info(ctx)
		if errors.Is(err, jetstream.ErrConsumerNotFound) || errors.Is(err, jetstream.ErrStreamNotFound) {
			return fmt.Errorf("the durable of the uploads was deleted: %w: start moderator again to create it", err)
		}
		if err == nil && info != nil {
			c.durableCreated.Store(&info.Created)
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
		}
	}
}

// receive parses a message and dispatches it.
func (c *Consumer) receive(ctx context.Context, msg jetstream.Msg, out chan<- *item) {
	meta, err := msg.Metadata()
	if err != nil {
		c.Logger.Warn("ignored a message that is not JetStream's", "subject", msg.Subject(), "error", err)
		return
	}
	u, err := event.ParseUpload(event.Message{
		Subject: msg.Subject(), Stream: meta.Stream, Sequence: meta.Sequence.Stream, Timestamp: meta.Timestamp,
		Header: msg.Headers(), Data: msg.Data(),
	})
	it := c.newItem(u, meta.Timestamp)
	it.msg, it.attempt, it.incarnation = msg, int(meta.NumDelivered), c.incarnation()
	c.track(it)
	c.startTrace(w3c.Extract(context.Background(), carrier(msg.Headers())), it, earlier(it.pulled, meta.Timestamp))
	switch {
	case err != nil:
		it.rejected = &event.Unjudgeable{Reason: event.Undecodable, Err: err}
	case it.attempt > c.cfg.Attempts: // the earlier deliveries were neither acked nor nak'd: this upload may crash the process
		it.rejected = &event.Unjudgeable{Reason: event.RetriesExhausted, Err: fmt.Errorf("delivered %d times and never acknowledged", it.attempt-1)}
	}
	c.dispatch(ctx, it, out)
}

// newItem returns an item of an upload that was stored or submitted at the time given. The caller sets the item's msg or
// request, and then tracks it.
func (c *Consumer) newItem(u event.Upload, stored time.Time) *item {
	it := &item{upload: u, pulled: time.Now()}
	it.decision.Upload = event.NewUploadInfo(u)
	it.decision.Model = c.cfg.Model
	it.decision.Timing.Queue = milliseconds(it.pulled.Sub(earlier(it.pulled, stored)))
	c.metrics.observe(stageQueue, it.decision.Timing.Queue)
	return it
}

// track adds an item to the uploads in flight, until done. From then on keepAlive reads its msg and request.
func (c *Consumer) track(it *item) {
	c.inFlight.add(it)
	c.metrics.inFlight.Inc()
}

// dispatch sends an item to out once a worker is free and memory for its bytes is reserved. During an outage it parks the
// item instead, so that the callback goes on to receive, and keep alive, what was delivered with it.
func (c *Consumer) dispatch(ctx context.Context, it *item, out chan<- *item) {
	healthy, stop := c.whileHealthy(ctx)
	defer stop()
	if healthy.Err() != nil {
		c.park(it)
		return
	}
	if err := c.admit(healthy, it, int64(len(it.msg.Data()))); err != nil {
		c.park(it)
		return
	}
	c.preparing.Add(1)
	out <- it
}

// admit waits for a worker, and for memory for the bytes. The worker comes before the memory: busy workers may be waiting for
// that memory.
func (c *Consumer) admit(ctx context.Context, it *item, bytes int64) error {
	select {
	case c.workerSlots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := c.reserve(ctx, it, bytes); err != nil {
		<-c.workerSlots
		return err
	}
	return nil
}

// park keeps an item until the outage ends. It extends the ack wait, most of which the client library may have used up.
func (c *Consumer) park(it *item) {
	c.extend(it)
	c.parked = append(c.parked, it)
}

// whileHealthy returns a context that is cancelled when ctx is done or a dependency is away.
func (c *Consumer) whileHealthy(ctx context.Context) (healthy context.Context, stop context.CancelFunc) {
	healthy, stop = context.WithCancel(ctx)
	began, _ := c.outages.signals()
	select {
	case <-began:
		stop()
	default:
		go func() {
			select {
			case <-began:
				stop()
			case <-healthy.Done():
			}
		}()
	}
	return healthy, stop
}

// unpark waits for the end of all outages and dispatches the parked items. It returns early when ctx is done.
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
		items := c.parked
		c.parked = nil
		for _, it := range items {
			c.dispatch(work, it, out)
		}
	}
}

func (c *Consumer) nakParked() {
	for _, it := range c.parked {
		c.nak(it, stageQueue, context.Canceled)
	}
	c.parked = nil
}

// reserve waits until memory for an item's bytes is free, and reserves it. An item larger than all memory gets all of it.
func (c *Consumer) reserve(ctx context.Context, it *item, bytes int64) error {
	bytes = min(bytes, c.cfg.MaxHeldBytes)
	if err := c.memory.Acquire(ctx, bytes); err != nil {
		return err
	}
	it.reserved = bytes
	c.metrics.heldBytes.Add(float64(bytes))
	return nil
}

// growReservation grows the item's reservation to bytes. It does not wait: it returns false if the memory is not free.
func (c *Consumer) growReservation(it *item, bytes int64) bool {
	more := bytes - it.reserved
	if more <= 0 {
		return true
	}
	if !c.memory.TryAcquire(more) {
		return false
	}
	it.reserved = bytes
	c.metrics.heldBytes.Add(float64(more))
	return true
}

// shrinkReservation shrinks the item's reservation to size bytes. It does nothing if the reservation is smaller.
func (c *Consumer) shrinkReservation(it *item, size int64) {
	if excess := it.reserved - size; excess > 0 {
		c.metrics.heldBytes.Sub(float64(excess)) // before another upload can reserve it
		c.memory.Release(excess)
		it.reserved = size
	}
}

// done releases an item that was acked or nak'd.
func (c *Consumer) done(it *item) {
	c.shrinkReservation(it, 0)
	c.inFlight.remove(it)
	c.metrics.inFlight.Dec()
}
