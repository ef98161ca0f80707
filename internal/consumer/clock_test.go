package consumer

import (
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"moderator/internal/event"
)

// skewed is a durable of a server whose clock differs from ours by a duration.
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

// Clocks that differ change no decision, and no timing is negative.
func TestClocksThatDiffer(t *testing.T) {
	t.Parallel()
	const uploads = 8
	for name, by := range map[string]time.Duration{"ahead": time.Hour, "behind": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, nil)
			h.durable = skewed{h.durable, by}
			h.start()
			for i := range uploads {
				h.publish(fmt.Sprint("upload", i))
			}
			for _, e := range h.decisions(uploads) {
				require.Equal(t, event.NoMatch, e.Data.Reason)
				timing := e.Data.Timing
				if by > 0 {
					require.Zero(t, timing.Queue)
				} else {
					require.GreaterOrEqual(t, timing.Queue, float64(time.Hour.Milliseconds()))
				}
				require.Less(t, timing.Total, float64(time.Hour.Milliseconds()), "measured from the pull by our own clock")
				require.GreaterOrEqual(t, timing.Total, timing.Decode)
			}
			h.settled()
		})
	}
}

// Ages within the process use the monotonic clock.
func TestAgesAreMonotonic(t *testing.T) {
	t.Parallel()
	h := newHarness(t, nil)
	h.publish("plain")
	batch, err := h.durable.Fetch(1)
	require.NoError(t, err)
	c := h.consumer()
	out := make(chan *item, 1)
	c.receive(t.Context(), <-batch.Messages(), out)
	require.Contains(t, (<-out).pulled.String(), " m=", "time.Time prints m= if it has a monotonic reading")
}
