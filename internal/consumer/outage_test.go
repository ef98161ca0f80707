package consumer

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"moderator/internal/event"
)

// more uploads than the stages and the client library hold.
const outageUploads = 60

// quick makes an outage of longOutage probes last longer than two ack waits and than all attempts.
func quick(c *Config) { c.AckWait = c.Budget + 100*time.Millisecond }

const longOutage = 9 // the waits before so many probes are 10 ms to 2.5 s: 5 s

// An outage of a dependency costs time only, also where it lasts longer than all attempts and ack waits. Meanwhile nothing is
// pulled, and what was pulled is kept alive.
func TestOutagesCostTimeOnly(t *testing.T) {
	for _, name := range []string{"postgres", "model", "object_store"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, quick)
			for i := range outageUploads {
				b.publish(fmt.Sprintf(`{"object": {"bucket": "b", "name": "plain %d"}}`, i), "Content-Type", "application/json")
			}
			b.judges.away.Store(name)
			c, _ := b.startConsumer()
			require.Eventually(t, func() bool { return b.judges.probes.Load() >= longOutage }, waitLong, waitStep)
			require.Len(t, c.Away(), 1)
			require.Contains(t, c.Away()[0], name+": away for ")
			require.Contains(t, c.Away()[0], "no route to "+name)
			require.EqualValues(t, 1, testutil.ToFloat64(c.metrics.away.WithLabelValues(name)))
			info, err := b.durable.Info(t.Context())
			require.NoError(t, err)
			require.Positive(t, info.NumPending, "not all are pulled")
			require.Equal(t, info.NumAckPending, c.flights.count(), "all that were delivered are in hand")
			require.Zero(t, info.NumRedelivered)

			b.judges.away.Store("")
			for _, e := range b.decisions(outageUploads) {
				require.Equal(t, event.NoMatch, e.Data.Reason, e.Data.Detail)
			}
			b.settled()
			require.EqualValues(t, outageUploads, b.judges.decodes.Load(), "none was delivered again")
			require.Empty(t, c.Away())
			require.Zero(t, testutil.ToFloat64(c.metrics.away.WithLabelValues(name)))
		})
	}
}

// While NATS takes no decisions, what the client library holds is kept alive too.
func TestFullStoreDeliversNothingAgain(t *testing.T) {
	b, makeRoom := newFullBench(t, outageUploads, quick)
	offered := b.offers()
	c, _ := b.startConsumer()
	require.Eventually(t, func() bool { return offered.most() >= longOutage }, waitLong, waitStep)
	require.Contains(t, c.Away()[0], "nats: away for ")
	makeRoom()
	for _, e := range b.decisions(outageUploads) {
		require.Equal(t, event.NoMatch, e.Data.Reason, e.Data.Detail)
	}
	b.settled()
	require.EqualValues(t, outageUploads, b.judges.decodes.Load(), "none was delivered again")
	require.Empty(t, c.Away())
}

// One upload that the library cannot be asked about costs the others of its batch no attempt.
func TestPoisonOfABatch(t *testing.T) {
	b := newBench(t, func(c *Config) { c.BatchSize, c.BatchAge = 32, 200*time.Millisecond })
	const uploads = 20
	for i := range uploads {
		b.publish(fmt.Sprint([]string{"plain", "poison"}[i%10/9], i))
	}
	b.start()
	reasons := map[event.Reason]int{}
	for _, e := range b.decisions(uploads) {
		reasons[e.Data.Reason]++
	}
	require.Equal(t, map[event.Reason]int{event.NoMatch: 18, event.RetriesExhausted: 2}, reasons)
	require.EqualValues(t, 18+2*b.cfg.Attempts, b.judges.decodes.Load(), "only those two are delivered again")
}

// A shutdown does not wait for a dependency: what is in hand is given back at once.
func TestStopDuringAnOutage(t *testing.T) {
	b := newBench(t, func(c *Config) { c.DrainTime, c.AckWait = 50*time.Millisecond, time.Hour })
	for i := range outageUploads {
		b.publish(fmt.Sprint("upload", i))
	}
	b.judges.away.Store("postgres")
	c, stop := b.startConsumer()
	require.Eventually(t, func() bool { return len(c.Away()) > 0 }, waitLong, waitStep)
	require.NoError(t, stop())
	require.Zero(t, c.flights.count())
	b.judges.away.Store("")
	b.start()
	for _, e := range b.decisions(outageUploads) {
		require.Equal(t, event.NoMatch, e.Data.Reason, e.Data.Detail)
	}
	b.settled()
}

// Waiting for what comes back by itself is no hang; waiting for what a restart brings back is one.
func TestStuckDuringAnOutage(t *testing.T) {
	for name, hangs := range map[string]bool{"postgres": false, "model": true} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			b.judges.away.Store(name)
			b.publish("plain")
			c, _ := b.startConsumer()
			require.Eventually(t, func() bool { return b.judges.probes.Load() >= 4 }, waitLong, waitStep)
			c.flights.mu.Lock()
			touched := c.flights.touched
			c.flights.mu.Unlock()
			require.Equal(t, hangs, touched.IsZero())
		})
	}
}
