package consumer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// incarnation tells the stream that a message was pulled from. An ack names a message by its sequence number alone. A stream
// that is created again, or restored from a copy, uses its numbers again: an ack of the old message would delete another
// upload, undecided.
type incarnation struct {
	durable     time.Time // when the durable was created
	connections uint64    // number of lost connections before the pull
}

func (c *Consumer) incarnation() incarnation {
	return incarnation{durable: *c.durableCreated.Load(), connections: c.connections()}
}

// connections counts lost connections. A store can be restored only while its server is down.
func (c *Consumer) connections() uint64 { return c.JetStream.Conn().Stats().Reconnects }

var (
	errOtherMessage = errors.New("its stream was created again or restored: another upload has its sequence number")
	errReconnected  = errors.New("the connection was lost after its decision was stored")
	errNoMessage    = errors.New("its stream no longer has it")
)

// durableNow returns when the server's present durable was created. It returns the zero time if the server does not answer.
func (c *Consumer) durableNow(ctx context.Context) time.Time {
	info := c.Durable.CachedInfo()
	durable, err := c.JetStream.Consumer(ctx, info.Stream, info.Name)
	if err != nil {
		return time.Time{}
	}
	return durable.CachedInfo().Created
}

// mayAck returns an error if an ack could delete an undecided upload: another one, or this one if the store was restored
// from before its decision. durable is the result of durableNow.
func (c *Consumer) mayAck(ctx context.Context, it *item, durable time.Time) error {
	now := c.connections()
	if now != it.storedOn || !c.JetStream.Conn().IsConnected() {
		return errReconnected
	}
	if now == it.incarnation.connections && durable.Equal(it.incarnation.durable) {
		return nil
	}
	return c.sameMessage(ctx, it)
}

// sameMessage returns an error unless the stream has the upload's message: it compares the times of storage.
func (c *Consumer) sameMessage(ctx context.Context, it *item) error {
	stream, err := c.JetStream.Stream(ctx, it.upload.Stream)
	if err != nil {
		return err
	}
	msg, err := stream.GetMsg(ctx, it.upload.Sequence)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return errNoMessage
	}
	if err != nil {
		return fmt.Errorf("look up message %d of %s: %w", it.upload.Sequence, it.upload.Stream, err)
	}
	if !msg.Time.Equal(it.upload.Published) {
		return errOtherMessage
	}
	return nil
}
