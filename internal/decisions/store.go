// Package decisions stores decisions in the stream DECISIONS, each once under its id.
package decisions

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"moderator/internal/event"
)

// ErrFalseDuplicate says that a stream answered Duplicate to a decision which it does not have. Its duplicate window may
// outlast a message that was deleted or purged.
var ErrFalseDuplicate = errors.New("the stream took the decision for a duplicate, and does not have it: its messages were deleted or written by another program; it takes the decision after its duplicate window")

// Store publishes a decision and waits until its stream has it. It returns the decision that the stream has: d, without
// its attributes where they make it too large, or, with duplicate, the one that was stored before under the same id.
func Store(ctx context.Context, js jetstream.JetStream, d event.Decision) (has event.Decision, duplicate bool, err error) {
	id, msg, err := Message(d)
	if err != nil {
		return d, false, err
	}
	ack, err := js.PublishMsg(ctx, msg)
	if TooLarge(err) && d.Upload.OmitAttributes() {
		return Store(ctx, js, d)
	}
	if err != nil {
		return d, false, fmt.Errorf("publish decision %s: %w", id, err)
	}
	if !ack.Duplicate {
		return d, false, nil
	}
	has, err = First(ctx, js, ack, d)
	return has, true, err
}

// Message is the decision as it is published.
func Message(d event.Decision) (id string, msg *nats.Msg, err error) {
	id, data, err := d.Encode(time.Now())
	if err != nil {
		return id, nil, fmt.Errorf("%w: %w", errUnfit, err)
	}
	msg = nats.NewMsg(event.DecisionSubject(d.Verdict))
	msg.Header.Set("Content-Type", "application/cloudevents+json")
	msg.Header.Set(jetstream.MsgIDHeader, id)
	msg.Data = data
	return id, msg, nil
}

// First returns the decision that the stream stored before d, under the same id. The answer Duplicate says only that the
// stream knows the id, so the message is read. ErrFalseDuplicate where it is not a decision on the same upload.
func First(ctx context.Context, js jetstream.JetStream, ack *jetstream.PubAck, d event.Decision) (event.Decision, error) {
	id, _, err := d.Encode(time.Now())
	if err != nil {
		return d, err
	}
	stream, err := js.Stream(ctx, ack.Stream)
	if err != nil {
		return d, fmt.Errorf("look up decision %s: stream %s: %w", id, ack.Stream, err)
	}
	msg, err := stream.GetMsg(ctx, ack.Sequence)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return d, fmt.Errorf("%w: %s, message %d of %s is gone", ErrFalseDuplicate, id, ack.Sequence, ack.Stream)
	}
	if err != nil {
		return d, fmt.Errorf("look up decision %s: message %d of %s: %w", id, ack.Sequence, ack.Stream, err)
	}
	e, err := event.DecodeDecision(msg.Data)
	if err != nil || e.ID != id || e.Data.Upload.Key() != d.Upload.Key() || msg.Header.Get(jetstream.MsgIDHeader) != id {
		return d, fmt.Errorf("%w: %s, message %d of %s is not that decision", ErrFalseDuplicate, id, ack.Sequence, ack.Stream)
	}
	return e.Data, nil
}

var errUnfit = errors.New("the decision cannot be written")

// TooLarge tells the errors of a message that is larger than the server's or the stream's limit.
func TooLarge(err error) bool {
	return errors.Is(err, nats.ErrMaxPayload) || errors.Is(err, jetstream.ErrStreamMessageExceedsMaximum)
}

// Unfit tells the errors of a single decision, which must not keep others waiting: it cannot be written, is too large even
// without attributes, or is taken for a duplicate.
func Unfit(err error) bool {
	return errors.Is(err, errUnfit) || TooLarge(err) || errors.Is(err, ErrFalseDuplicate)
}
