package consumer

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"moderator/internal/devstack"
	"moderator/internal/event"
)

// publishCounter counts how often each decision is published, whether its stream stores it or not.
type publishCounter struct {
	mu   sync.Mutex
	byID map[string]int
}

func (h *harness) countPublishes() *publishCounter {
	c := &publishCounter{byID: map[string]int{}}
	sub, err := h.nc.Subscribe(event.DecisionsSubject, func(msg *nats.Msg) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.byID[msg.Header.Get(jetstream.MsgIDHeader)]++
	})
	require.NoError(h.t, err)
	require.NoError(h.t, h.nc.Flush())
	h.t.Cleanup(func() { _ = sub.Unsubscribe() })
	return c
}

// most returns the highest count of any decision.
func (c *publishCounter) most() (most int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range c.byID {
		most = max(most, n)
	}
	return most
}

// newHarnessWithFullStore publishes uploads and then fills the server's store. makeRoom empties it again.
func newHarnessWithFullStore(t *testing.T, uploads int, change func(*Config)) (h *harness, makeRoom func()) {
	s, err := devstack.StartNATS(t.Context(), devstack.NATSOptions{StoreDir: t.TempDir(), Listen: "127.0.0.1:0", MaxStore: 4 << 20})
	require.NoError(t, err)
	t.Cleanup(s.Shutdown)
	h = newHarnessOn(t, s.URL, 1, change)
	for i := range uploads {
		h.publish(fmt.Sprint("upload", i))
	}
	ballast, err := h.js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "BALLAST", Subjects: []string{"ballast"}})
	require.NoError(t, err)
	for _, size := range []int{256 << 10, 1 << 10, 16} { // until no decision fits
		for err = error(nil); err == nil; {
			_, err = h.js.Publish(t.Context(), "ballast", make([]byte, size))
		}
	}
	return h, func() { require.NoError(t, ballast.Purge(t.Context())) }
}

// While the server's store is full, it refuses new uploads. Stored uploads stay in flight, and get their usual decisions
// once there is room.
func TestFullStoreLosesNothing(t *testing.T) {
	t.Parallel()
	const uploads = 12
	h, makeRoom := newHarnessWithFullStore(t, uploads, nil)
	publishes := h.countPublishes()
	_, err := h.js.Publish(t.Context(), "uploads.test", []byte("one more"))
	require.ErrorContains(t, err, "insufficient", "the publisher gets an error")
	h.start()
	require.Eventually(t, func() bool { return publishes.most() > 2*h.cfg.Attempts }, waitLong, waitStep)
	require.Zero(t, h.count(event.DecisionsStream))
	require.Equal(t, uploads, h.count(event.UploadsStream), "no upload is given up")

	makeRoom()
	for _, e := range h.decisions(uploads) {
		require.Equal(t, event.NoMatch, e.Data.Reason)
	}
	h.settled()
	require.EqualValues(t, uploads, h.fakes.decodes.Load(), "no redelivery")
}

// A shutdown does not wait for room in the store: it naks the uploads, which are decided later.
func TestStopWhileTheStoreIsFull(t *testing.T) {
	t.Parallel()
	const uploads = 12
	h, makeRoom := newHarnessWithFullStore(t, uploads, func(c *Config) { c.DrainTime, c.AckWait = 50*time.Millisecond, time.Hour })
	publishes := h.countPublishes()
	stop := h.start()
	require.Eventually(t, func() bool { return publishes.most() > 0 }, waitLong, waitStep)
	require.NoError(t, stop())
	makeRoom()
	h.start()
	for _, e := range h.decisions(uploads) {
		require.Equal(t, event.NoMatch, e.Data.Reason)
	}
	h.settled()
}

// An outage of NATS does not count as a hang.
func TestWaitingForNATSIsNoHang(t *testing.T) {
	f := inFlight{items: map[*item]struct{}{{pulled: time.Now().Add(-time.Hour)}: {}}}
	require.GreaterOrEqual(t, f.oldest(time.Now()), time.Hour)
	f.touch()
	require.Less(t, f.oldest(time.Now()), time.Hour)
}
