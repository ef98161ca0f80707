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

// With max-held-bytes reserved, pulling waits. All uploads are decided once memory is free.
func TestPullingWaitsForMemory(t *testing.T) {
	t.Parallel()
	const uploads, size, fit = 12, 100 << 10, 3
	h := newHarness(t, func(c *Config) {
		c.Workers, c.MaxUploadBytes, c.MaxHeldBytes = fit+2, size, fit*size+size/2
	})
	h.fakes.gate = make(chan struct{})
	for range uploads {
		h.publish("slow" + strings.Repeat("x", size-len("slow")))
	}
	c, _ := h.startConsumer()
	held := func() int64 { return int64(testutil.ToFloat64(c.metrics.heldBytes)) }
	// Half an upload would still fit. The semaphore refuses even one byte only while an upload waits for its turn.
	waits := func() bool {
		if c.memory.TryAcquire(1) {
			c.memory.Release(1)
			return false
		}
		return true
	}
	var most int64
	require.Eventually(t, func() bool {
		most = max(most, held())
		return h.fakes.decodes.Load() == fit && waits()
	}, waitLong, time.Millisecond, "some are decoded and one waits, although workers are idle")
	require.LessOrEqual(t, most, h.cfg.MaxHeldBytes)
	require.EqualValues(t, fit*size, held())
	require.Equal(t, fit+1, c.inFlight.count())
	require.Zero(t, h.count(event.DecisionsStream))

	close(h.fakes.gate)
	for _, e := range h.decisions(uploads) {
		require.Equal(t, event.NoMatch, e.Data.Reason)
	}
	h.settled()
	require.Eventually(t, func() bool { return held() == 0 }, waitLong, waitStep)
	require.EqualValues(t, uploads, h.fakes.decodes.Load(), "no redelivery")
}

// A reference reserves the size that its store announces, not max-upload-bytes. Other uploads go on beside it.
func TestReferencesReserveTheirSize(t *testing.T) {
	t.Parallel()
	const workers, references = 4, 3
	h := newHarness(t, func(c *Config) { c.Workers, c.MaxUploadBytes, c.MaxHeldBytes = workers, 1<<20, 1<<20 })
	h.fakes.gate = make(chan struct{})
	for range references {
		h.publish(`{"object": {"bucket": "1000", "name": "waiting"}}`, "Content-Type", "application/json")
	}
	c, _ := h.startConsumer()
	require.Eventually(t, func() bool { return h.fakes.fetches.Load() == references }, waitLong, waitStep, "all are fetched concurrently")
	require.EqualValues(t, references*1000, testutil.ToFloat64(c.metrics.heldBytes))
	h.publish("plain")
	h.decisions(1)
	close(h.fakes.gate)
	h.decisions(1 + references)
	h.settled()
}

// References that each need all of the memory are fetched one after the other, and all uploads are decided.
func TestReferencesWaitForMemory(t *testing.T) {
	t.Parallel()
	const most, uploads = 1 << 20, 24
	h := newHarness(t, func(c *Config) { c.Workers, c.MaxUploadBytes, c.MaxHeldBytes = 4, most, most })
	for i := range uploads {
		if i%3 == 0 {
			h.publish(strings.Repeat("x", most/2))
		} else {
			h.publish(fmt.Sprintf(`{"object": {"bucket": "%d", "name": "large %d"}}`, most, i), "Content-Type", "application/json")
		}
	}
	c, _ := h.startConsumer()
	for _, e := range h.decisions(uploads) {
		require.Equal(t, event.NoMatch, e.Data.Reason, e.Data.Detail)
	}
	h.settled()
	require.Eventually(t, func() bool { return testutil.ToFloat64(c.metrics.heldBytes) == 0 }, waitLong, waitStep)
	require.EqualValues(t, uploads, h.fakes.decodes.Load(), "no redelivery")
}
