package consumer

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"moderator/internal/event"
)

// Uploads beyond what may be held wait, and none is lost by it: they are decided once there is room.
func TestPullingWaitsWhereNoMoreMayBeHeld(t *testing.T) {
	const uploads, size, fit = 12, 100 << 10, 3
	b := newBench(t, func(c *Config) {
		c.Workers, c.MaxUploadBytes, c.MaxHeldBytes = fit+2, size, fit*size+size/2
	})
	b.judges.gate = make(chan struct{})
	for range uploads {
		b.publish("slow" + strings.Repeat("x", size-len("slow")))
	}
	c, _ := b.startConsumer()
	held := func() int64 { return int64(testutil.ToFloat64(c.metrics.heldBytes)) }
	// Half an upload more would fit, and is not given to anyone while an upload waits for room.
	waits := func() bool {
		if c.held.TryAcquire(1) {
			c.held.Release(1)
			return false
		}
		return true
	}
	var most int64
	require.Eventually(t, func() bool {
		most = max(most, held())
		return b.judges.decodes.Load() == fit && waits()
	}, waitLong, time.Millisecond, "some are decoded and one waits, with idle workers beside it")
	require.LessOrEqual(t, most, b.cfg.MaxHeldBytes)
	require.EqualValues(t, fit*size, held())
	require.Equal(t, fit+1, c.flights.count())
	require.Zero(t, b.count(event.DecisionsStream))

	close(b.judges.gate)
	for _, e := range b.decisions(uploads) {
		require.Equal(t, event.NoMatch, e.Data.Reason)
	}
	b.settled()
	require.Eventually(t, func() bool { return held() == 0 }, waitLong, waitStep)
	require.EqualValues(t, uploads, b.judges.decodes.Load(), "none was delivered again")
}

// A reference reserves what its store announces, so that large limits keep neither fetches nor other uploads waiting.
func TestReferencesReserveWhatTheyHave(t *testing.T) {
	const workers, references = 4, 3
	b := newBench(t, func(c *Config) { c.Workers, c.MaxUploadBytes, c.MaxHeldBytes = workers, 1<<20, 1<<20 })
	b.judges.gate = make(chan struct{})
	for range references {
		b.publish(`{"object": {"bucket": "1000", "name": "waiting"}}`, "Content-Type", "application/json")
	}
	c, _ := b.startConsumer()
	require.Eventually(t, func() bool { return b.judges.fetches.Load() == references }, waitLong, waitStep, "all are fetched at once")
	require.EqualValues(t, references*1000, testutil.ToFloat64(c.metrics.heldBytes))
	b.publish("plain")
	b.decisions(1)
	close(b.judges.gate)
	b.decisions(1 + references)
	b.settled()
}

// References that want all the room there is are fetched one after the other, and uploads between them go on.
func TestReferencesWaitForRoom(t *testing.T) {
	const most, uploads = 1 << 20, 24
	b := newBench(t, func(c *Config) { c.Workers, c.MaxUploadBytes, c.MaxHeldBytes = 4, most, most })
	for i := range uploads {
		if i%3 == 0 {
			b.publish(strings.Repeat("x", most/2))
		} else {
			b.publish(fmt.Sprintf(`{"object": {"bucket": "%d", "name": "large %d"}}`, most, i), "Content-Type", "application/json")
		}
	}
	c, _ := b.startConsumer()
	for _, e := range b.decisions(uploads) {
		require.Equal(t, event.NoMatch, e.Data.Reason, e.Data.Detail)
	}
	b.settled()
	require.Eventually(t, func() bool { return testutil.ToFloat64(c.metrics.heldBytes) == 0 }, waitLong, waitStep)
	require.EqualValues(t, uploads, b.judges.decodes.Load(), "none was delivered again")
}
