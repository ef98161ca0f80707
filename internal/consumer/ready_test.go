package consumer

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"moderator/internal/event"
)

// Uploads wait in their stream while none can be judged, before the first and in between, and are judged after.
func TestUploadsWaitUntilReady(t *testing.T) {
	b := newBench(t, func(c *Config) { c.Attempts, c.Backoff = 10, 100*time.Millisecond })
	var wait atomic.Bool
	wait.Store(true)
	asked := make(chan struct{}, 1)
	b.ready = func(context.Context) error {
		select {
		case asked <- struct{}{}:
		default:
		}
		if wait.Load() {
			return errors.New("the index is being built")
		}
		return nil
	}
	info := func() *jetstream.ConsumerInfo {
		i, err := b.durable.Info(t.Context())
		require.NoError(t, err)
		return i
	}
	for range 5 {
		b.publish("plain")
	}
	stop := b.start()
	<-asked
	<-asked // once more, a second later
	require.Zero(t, info().Delivered.Consumer)
	wait.Store(false)
	b.decisions(5)

	wait.Store(true)
	b.judges.matchFails.Store(1000)
	b.publish("flagged")
	require.Eventually(t, func() bool { return b.judges.matchFails.Load() < 1000 && info().NumWaiting == 0 }, time.Minute, 10*time.Millisecond,
		"it goes on pulling")
	b.publish("plain")
	b.judges.matchFails.Store(0)
	wait.Store(false)
	verdicts := map[event.Verdict]int{}
	for _, d := range b.decisions(7) {
		verdicts[d.Data.Verdict]++
	}
	require.Equal(t, map[event.Verdict]int{event.Allow: 6, event.Block: 1}, verdicts)
	b.settled()
	require.NoError(t, stop())
}
