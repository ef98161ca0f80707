package console

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"moderator/internal/event"
	"moderator/internal/matchdb"
)

// queue holds decisions that wait for a review.
type queue struct {
	Items []*decision // oldest first
	More  bool        // there are more than Items
}

// mark is the message of DECISIONS up to which all decisions are reviewed. Its number alone does not identify it: the stream
// may be created again, or restored from an earlier copy.
type mark struct {
	sequence uint64
	stored   time.Time
}

// after returns the sequence number from which on the queue is read.
func (m *mark) after(ctx context.Context, stream jetstream.Stream) (uint64, error) {
	if m == nil {
		return 1, nil
	}
	msg, err := stream.GetMsg(ctx, m.sequence)
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return 1, nil
	case err != nil:
		return 0, err
	case !msg.Time.Equal(m.stored):
		return 1, nil
	}
	return m.sequence + 1, nil
}

// queueBatch is the number of decisions that are read and looked up together.
const queueBatch = 256

// waiting returns the oldest decisions, at most most, with the verdict review and without a review.
func (c *Console) waiting(ctx context.Context, most int) (q queue, err error) {
	stream, err := c.JetStream.Stream(ctx, event.DecisionsStream)
	if err != nil {
		return q, streamProblem(err)
	}
	from, err := c.done.Load().after(ctx, stream)
	if err != nil {
		return q, streamProblem(err)
	}
	reader, err := stream.CreateConsumer(ctx, jetstream.ConsumerConfig{
		FilterSubject: event.DecisionSubject(event.Review), DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: from,
		AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, Replicas: 1, InactiveThreshold: 10 * time.Second,
	})
	if err != nil {
		return q, streamProblem(err)
	}
	defer func() {
		// If this fails, the server deletes the consumer after InactiveThreshold.
		_ = stream.DeleteConsumer(context.WithoutCancel(ctx), reader.CachedInfo().Name)
	}()
	for {
		batch, err := reader.FetchNoWait(queueBatch)
		if err != nil {
			return q, streamProblem(err)
		}
		var read []*decision
		pending := uint64(0)
		for msg := range batch.Messages() {
			meta, err := msg.Metadata()
			if err != nil {
				return q, err
			}
			pending = meta.NumPending
			if d, err := newDecision(meta.Sequence.Stream, meta.Timestamp, msg.Data()); err == nil { // other messages are skipped
				read = append(read, d)
			}
		}
		if err := batch.Error(); err != nil {
			return q, streamProblem(err)
		}
		if q.Items, err = c.unreviewed(ctx, q.Items, read); err != nil {
			return q, err
		}
		if len(q.Items) > most || pending == 0 {
			break
		}
		if len(q.Items) == 0 && len(read) > 0 {
			last := read[len(read)-1]
			c.done.Store(&mark{last.Sequence, last.Stored})
		}
	}
	if len(q.Items) > most {
		q.Items, q.More = q.Items[:most], true
	}
	return q, nil
}

// unreviewed appends the decisions without a review to waiting.
func (c *Console) unreviewed(ctx context.Context, waiting, read []*decision) ([]*decision, error) {
	keys := make([]matchdb.DecisionKey, len(read))
	for i, d := range read {
		keys[i] = d.key()
	}
	reviews, err := c.Library.Reviews(ctx, keys)
	if err != nil {
		return nil, err
	}
	for _, d := range read {
		if _, done := reviews[d.key()]; !done {
			waiting = append(waiting, d)
		}
	}
	return waiting, nil
}
