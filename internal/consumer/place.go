package consumer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// place says which incarnation of the stream a message was pulled from. An ack names a message by its sequence number alone.
// A stream that is deleted and made anew, or a store that is put back to a copy, gives its numbers again: an ack of the old
// message would then end another upload, undecided.
type place struct {
	durable     time.Time // when the durable was made
	connections uint64    // how often the connection had been lost
}

func (c *Consumer) place() place {
	return place{durable: *c.durableMade.Load(), connections: c.connections()}
}

// connections counts lost connections. A store is put back while its server is down.
func (c *Consumer) connections() uint64 { return c.JetStream.Conn().Stats().Reconnects }

var (
	errOtherMessage = errors.New("its stream was made anew or put back: the sequence number names another upload now")
	errReconnected  = errors.New("the connection was lost since its decision was stored")
	errNoMessage    = errors.New("its stream does not have it any more")
)

// durableNow is when the durable that the server has now was made; zero where the server does not say.
func (c *Consumer) durableNow(ctx context.Context) time.Time {
	info := c.Durable.CachedInfo()
	durable, err := c.JetStream.Consumer(ctx, info.Stream, info.Name)
	if err != nil {
		return time.Time{}
	}
	return durable.CachedInfo().Created
}

// mayAck returns an error where an ack could end an upload without a decision: another one, or this one after its decision was
// put back with the store.
func (c *Consumer) mayAck(ctx context.Context, it *item, durable time.Time) error {
	now := c.connections()
	if now != it.storedOn || !c.JetStream.Conn().IsConnected() {
		return errReconnected
	}
	if now == it.place.connections && durable.Equal(it.place.durable) {
		return nil
	}
	return c.sameMessage(ctx, it)
}

// sameMessage compares the time at which the stream stored the message with the time in the upload's key.
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
