// Package decisions publishes decisions to the stream DECISIONS. Message ids keep each decision single.
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

// ErrFalseDuplicate means that the stream answered Duplicate and does not have the decision. It remembers ids of messages
// that were deleted or purged, until its dedupe window has passed.
var ErrFalseDuplicate = errors.New("the stream reported the decision as a duplicate and does not have it: its messages were deleted, or another program used the id; it accepts the decision after its duplicate window")

// Store publishes a decision and waits until it is stored. It returns the stored decision: d, or d without attributes if
// they made it too large. If duplicate is true, it is the decision that was stored earlier under the same id.
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

// Message returns the decision's id and its message, ready to be published.
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

// First returns the decision that the stream stored earlier under d's id. The answer Duplicate proves only that the stream
// knows the id, so First reads the message. It returns ErrFalseDuplicate if that is not a decision on the same upload.
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
		return d, fmt.Errorf("%w: %s, message %d of %s was deleted", ErrFalseDuplicate, id, ack.Sequence, ack.Stream)
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

var errUnfit = errors.New("the decision cannot be encoded")

// TooLarge reports whether the message exceeded the server's or the stream's limit.
func TooLarge(err error) bool {
	return errors.Is(err, nats.ErrMaxPayload) || errors.Is(err, jetstream.ErrStreamMessageExceedsMaximum)
}

// Unfit reports whether the error concerns this decision alone, so that others can still be stored: it cannot be encoded,
// is too large, or is a false duplicate.
func Unfit(err error) bool {
	return errors.Is(err, errUnfit) || TooLarge(err) || errors.Is(err, ErrFalseDuplicate)
}
