package consumer

import (
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"moderator/internal/event"
)

// skewed is a durable of a server whose clock differs from ours by so much.
type skewed struct {
	jetstream.Consumer
	by time.Duration
}

func (s skewed) Consume(handle jetstream.MessageHandler, options ...jetstream.PullConsumeOpt) (jetstream.ConsumeContext, error) {
	return s.Consumer.Consume(func(msg jetstream.Msg) { handle(skewedMsg{msg, s.by}) }, options...)
}

type skewedMsg struct {
	jetstream.Msg
	by time.Duration
}

func (m skewedMsg) Metadata() (*jetstream.MsgMetadata, error) {
	meta, err := m.Msg.Metadata()
	if err != nil {
		return nil, err
	}
	at := *meta
	at.Timestamp = at.Timestamp.Add(m.by)
	return &at, nil
}

// Whether the server's clock, or ours, is ahead or jumped, each upload is decided as always, and no time is negative.
func TestClocksThatDiffer(t *testing.T) {
	const uploads = 8
	for name, by := range map[string]time.Duration{"ahead": time.Hour, "behind": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			b.durable = skewed{b.durable, by}
			b.start()
			for i := range uploads {
				b.publish(fmt.Sprint("upload", i))
			}
			for _, e := range b.decisions(uploads) {
				require.Equal(t, event.NoMatch, e.Data.Reason)
				timing := e.Data.Timing
				if by > 0 {
					require.Zero(t, timing.Queue)
				} else {
					require.GreaterOrEqual(t, timing.Queue, float64(time.Hour.Milliseconds()))
				}
				require.Less(t, timing.Total, float64(time.Hour.Milliseconds()), "from the pull on by this machine's own clock")
				require.GreaterOrEqual(t, timing.Total, timing.Decode)
			}
			b.settled()
		})
	}
}

// What grows old in this process is measured by a clock that nobody sets.
func TestAgesAreMonotonic(t *testing.T) {
	b := newBench(t, nil)
	b.publish("plain")
	batch, err := b.durable.Fetch(1)
	require.NoError(t, err)
	c := b.consumer()
	out := make(chan *item, 1)
	c.take(t.Context(), <-batch.Messages(), out)
	require.Contains(t, (<-out).pulled.String(), " m=", "time.Time says by m= that it holds a monotonic reading")
}
