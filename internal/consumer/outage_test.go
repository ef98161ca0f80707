package consumer

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"moderator/internal/event"
)

// outageUploads are more than the stages and the client library hold.
const outageUploads = 60

// shortAckWait makes an outage of longOutage probes last longer than two ack waits and all attempts.
func shortAckWait(c *Config) { c.AckWait = c.Budget + 100*time.Millisecond }

const longOutage = 9 // probes; their delays of 10 ms to 2.5 s add up to 5 s

// An outage costs time only, even if it lasts longer than all attempts and ack waits. Meanwhile no uploads are pulled, and
// pulled uploads are kept alive.
func TestOutagesCostTimeOnly(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"postgres", "model", "object_store"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, shortAckWait)
			for i := range outageUploads {
				h.publish(fmt.Sprintf(`{"object": {"bucket": "b", "name": "plain %d"}}`, i), "Content-Type", "application/json")
			}
			h.fakes.away.Store(name)
			c, _ := h.startConsumer()
			require.Eventually(t, func() bool { return h.fakes.probes.Load() >= longOutage }, waitLong, waitStep)
			require.Len(t, c.Away(), 1)
			require.Contains(t, c.Away()[0], name+": away for ")
			require.Contains(t, c.Away()[0], "no route to "+name)
			require.EqualValues(t, 1, testutil.ToFloat64(c.metrics.away.WithLabelValues(name)))
			info, err := h.durable.Info(t.Context())
			require.NoError(t, err)
			require.Positive(t, info.NumPending, "some uploads are not pulled")
			// The server may have delivered to the pull that just ended as many as it asks for. They are redelivered after the ack wait.
			require.InDelta(t, info.NumAckPending, c.inFlight.count(), 2*float64(h.cfg.BatchSize), "delivered uploads are in flight")
			require.Zero(t, info.NumRedelivered)

			h.fakes.away.Store("")
			for _, e := range h.decisions(outageUploads) {
				require.Equal(t, event.NoMatch, e.Data.Reason, e.Data.Detail)
			}
			h.settled()
			require.EqualValues(t, outageUploads, h.fakes.decodes.Load(), "no redelivery")
			require.Empty(t, c.Away())
			require.Zero(t, testutil.ToFloat64(c.metrics.away.WithLabelValues(name)))
		})
	}
}

// While the store is full, uploads that the client library has buffered are kept alive too.
func TestFullStoreCausesNoRedelivery(t *testing.T) {
	t.Parallel()
	h, makeRoom := newHarnessWithFullStore(t, outageUploads, shortAckWait)
	publishes := h.countPublishes()
	c, _ := h.startConsumer()
	require.Eventually(t, func() bool { return publishes.most() >= longOutage }, waitLong, waitStep)
	require.Contains(t, c.Away()[0], "nats: away for ")
	makeRoom()
	for _, e := range h.decisions(outageUploads) {
		require.Equal(t, event.NoMatch, e.Data.Reason, e.Data.Detail)
	}
	h.settled()
	require.EqualValues(t, outageUploads, h.fakes.decodes.Load(), "no redelivery")
	require.Empty(t, c.Away())
}

// An upload whose match always fails costs the others of its batch no attempt.
func TestPoisonedBatch(t *testing.T) {
	t.Parallel()
	h := newHarness(t, func(c *Config) { c.BatchSize, c.BatchAge = 32, 200*time.Millisecond })
	const uploads = 20
	for i := range uploads {
		h.publish(fmt.Sprint([]string{"plain", "poison"}[i%10/9], i))
	}
	h.start()
	reasons := map[event.Reason]int{}
	for _, e := range h.decisions(uploads) {
		reasons[e.Data.Reason]++
	}
	require.Equal(t, map[event.Reason]int{event.NoMatch: 18, event.RetriesExhausted: 2}, reasons)
	require.EqualValues(t, 18+2*h.cfg.Attempts, h.fakes.decodes.Load(), "only those two are redelivered")
}

// A shutdown does not wait for the end of an outage: it naks the uploads in flight.
func TestStopDuringAnOutage(t *testing.T) {
	t.Parallel()
	h := newHarness(t, func(c *Config) { c.DrainTime, c.AckWait = 50*time.Millisecond, time.Hour })
	for i := range outageUploads {
		h.publish(fmt.Sprint("upload", i))
	}
	h.fakes.away.Store("postgres")
	c, stop := h.startConsumer()
	require.Eventually(t, func() bool { return len(c.Away()) > 0 }, waitLong, waitStep)
	require.NoError(t, stop())
	require.Zero(t, c.inFlight.count())
	h.fakes.away.Store("")
	h.start()
	for _, e := range h.decisions(outageUploads) {
		require.Equal(t, event.NoMatch, e.Data.Reason, e.Data.Detail)
	}
	h.settled()
}

// An outage counts as a hang only if a restart of the process is needed to end it.
func TestStuckDuringAnOutage(t *testing.T) {
	t.Parallel()
	for name, hangs := range map[string]bool{"postgres": false, "model": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, nil)
			h.fakes.away.Store(name)
			h.publish("plain")
			c, _ := h.startConsumer()
			require.Eventually(t, func() bool { return h.fakes.probes.Load() >= 4 }, waitLong, waitStep)
			c.inFlight.mu.Lock()
			touched := c.inFlight.touched
			c.inFlight.mu.Unlock()
			require.Equal(t, hangs, touched.IsZero())
			h.fakes.away.Store("") // a shutdown would wait for the drain time
		})
	}
}
