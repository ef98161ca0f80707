package console

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"moderator/internal/event"
	"moderator/internal/matchdb"
)

// waiting is a decision that waits for a review, as the queue shows it.
type waiting struct {
	row
	Stored   time.Time
	Uploader string
	// TakenBack is who took an earlier review of the upload back.
	TakenBack string
	key       matchdb.DecisionKey
	texts     string // of the upload's id and attributes, in lower case: what a search looks in
}

// backlog holds the decisions that wait for a review, oldest first. A request reads only what is new since the last one.
type backlog struct {
	mu       sync.Mutex
	made     time.Time // when the stream was created
	last     uint64    // sequence number up to which the stream was read
	stored   time.Time // of that message
	items    []*waiting
	reviewed time.Time // up to which reviews were read
}

// lateReview is how much later than its time a review may become visible: its transaction waits for the stream.
const lateReview = 2 * reviewTime

// waiting returns the decisions with the verdict review and without a review, oldest first. The slice is not changed later.
func (c *Console) waiting(ctx context.Context) ([]*waiting, error) {
	b := &c.backlog
	b.mu.Lock()
	defer b.mu.Unlock()
	stream, err := c.JetStream.Stream(ctx, event.DecisionsStream)
	if err != nil {
		return nil, streamProblem(err)
	}
	state, made := stream.CachedInfo().State, stream.CachedInfo().Created
	if !made.Equal(b.made) || !b.sameStream(ctx, stream, state) {
		b.made, b.last, b.stored, b.items, b.reviewed = made, 0, time.Time{}, nil, time.Time{}
	}
	if err := c.readReviews(ctx, stream, b); err != nil {
		return nil, err
	}
	if len(b.items) == 0 {
		return nil, nil
	}
	if oldest := b.items[0].Stored; b.reviewed.Before(oldest) { // a review is later than its decision
		b.reviewed = oldest
	}
	done, now, err := c.Library.ReviewedSince(ctx, b.reviewed.Add(-lateReview))
	if err != nil {
		return nil, err
	}
	b.reviewed = now
	items := make([]*waiting, 0, len(b.items))
	for _, w := range b.items {
		if w.Sequence >= state.FirstSeq && !done[w.key] { // older ones were deleted
			items = append(items, w)
		}
	}
	b.items = items
	return items, nil
}

// sameStream reports whether the stream still has the message that was read last. It may have been restored from an earlier copy.
func (b *backlog) sameStream(ctx context.Context, stream jetstream.Stream, state jetstream.StreamState) bool {
	if b.last == 0 || b.last < state.FirstSeq {
		return b.last <= state.LastSeq
	}
	msg, err := stream.GetMsg(ctx, b.last)
	return err == nil && msg.Time.Equal(b.stored)
}

// queueBatch is the number of decisions that are read together.
const queueBatch = 500

// readReviews appends the decisions with the verdict review after b.last.
func (c *Console) readReviews(ctx context.Context, stream jetstream.Stream, b *backlog) error {
	reader, err := stream.CreateConsumer(ctx, jetstream.ConsumerConfig{
		FilterSubject: event.DecisionSubject(event.Review), DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: b.last + 1,
		AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, Replicas: 1, InactiveThreshold: 10 * time.Second,
	})
	if err != nil {
		return streamProblem(err)
	}
	defer func() {
		// If this fails, the server deletes the consumer after InactiveThreshold.
		_ = stream.DeleteConsumer(context.WithoutCancel(ctx), reader.CachedInfo().Name)
	}()
	for {
		batch, err := reader.FetchNoWait(queueBatch)
		if err != nil {
			return streamProblem(err)
		}
		pending := uint64(0)
		for msg := range batch.Messages() {
			meta, err := msg.Metadata()
			if err != nil {
				return err
			}
			pending, b.last, b.stored = meta.NumPending, meta.Sequence.Stream, meta.Timestamp
			if w := newWaiting(meta, msg.Data()); w != nil {
				b.items = append(b.items, w)
			}
		}
		if err := batch.Error(); err != nil {
			return streamProblem(err)
		}
		if pending == 0 {
			return nil
		}
	}
}

// newWaiting returns nil for a message that is not a decision to review.
func newWaiting(meta *jetstream.MsgMetadata, data []byte) *waiting {
	d, err := newDecision(meta.Sequence.Stream, meta.Timestamp, data)
	if err != nil || d.Event.Data.Reason == event.Reviewed {
		return nil
	}
	w := &waiting{row: rowOf(meta, d.Event.Data), Stored: meta.Timestamp, key: d.key()}
	if r := d.Event.Data.Review; r != nil && w.Reason == event.TakenBack {
		w.Reason, w.TakenBack = r.Reason, r.By
	}
	texts := []string{d.Event.Data.Upload.ID}
	for _, a := range d.Attributes {
		texts = append(texts, a.Value)
		if a.Name == "uploader" {
			w.Uploader = cut(a.Value, maxUploadShown)
		}
	}
	w.texts = strings.ToLower(strings.Join(texts, "\n"))
	return w
}
