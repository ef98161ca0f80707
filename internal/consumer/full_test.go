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

// offers counts how often each decision is sent to its stream, whether the stream takes it or not.
type offers struct {
	mu   sync.Mutex
	byID map[string]int
}

func (b *bench) offers() *offers {
	o := &offers{byID: map[string]int{}}
	sub, err := b.nc.Subscribe(event.DecisionsSubject, func(msg *nats.Msg) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.byID[msg.Header.Get(jetstream.MsgIDHeader)]++
	})
	require.NoError(b.t, err)
	require.NoError(b.t, b.nc.Flush())
	b.t.Cleanup(func() { _ = sub.Unsubscribe() })
	return o
}

// most is how often the decision was sent that was sent most often.
func (o *offers) most() (most int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, n := range o.byID {
		most = max(most, n)
	}
	return most
}

// newFullBench is a bench with uploads that wait on a server whose store is full; makeRoom ends that.
func newFullBench(t *testing.T, uploads int, change func(*Config)) (b *bench, makeRoom func()) {
	s, err := devstack.StartNATS(t.Context(), devstack.NATSOptions{StoreDir: t.TempDir(), Listen: "127.0.0.1:0", MaxStore: 4 << 20})
	require.NoError(t, err)
	t.Cleanup(s.Shutdown)
	b = newBenchOn(t, s.URL, 1, change)
	for i := range uploads {
		b.publish(fmt.Sprint("upload", i))
	}
	ballast, err := b.js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "BALLAST", Subjects: []string{"ballast"}})
	require.NoError(t, err)
	for _, size := range []int{256 << 10, 1 << 10, 16} { // until not even a decision fits
		for err = error(nil); err == nil; {
			_, err = b.js.Publish(t.Context(), "ballast", make([]byte, size))
		}
	}
	return b, func() { require.NoError(t, ballast.Purge(t.Context())) }
}

// With the server's store full, new uploads are refused to their publisher, and those that were stored wait, for however
// long: when there is room again each gets the decision that it would have had.
func TestFullStoreLosesNothing(t *testing.T) {
	const uploads = 12
	b, makeRoom := newFullBench(t, uploads, nil)
	offered := b.offers()
	_, err := b.js.Publish(t.Context(), "uploads.test", []byte("one more"))
	require.ErrorContains(t, err, "insufficient", "the publisher is told")
	b.start()
	require.Eventually(t, func() bool { return offered.most() > 2*b.cfg.Attempts }, waitLong, waitStep)
	require.Zero(t, b.count(event.DecisionsStream))
	require.Equal(t, uploads, b.count(event.UploadsStream), "none is given up")

	makeRoom()
	for _, e := range b.decisions(uploads) {
		require.Equal(t, event.NoMatch, e.Data.Reason)
	}
	b.settled()
	require.EqualValues(t, uploads, b.judges.decodes.Load(), "none was delivered again")
}

// A shutdown does not wait for room: what could not be stored is given back, and is decided later.
func TestStopWhileTheStoreIsFull(t *testing.T) {
	const uploads = 12
	b, makeRoom := newFullBench(t, uploads, func(c *Config) { c.DrainTime, c.AckWait = 50*time.Millisecond, time.Hour })
	offered := b.offers()
	stop := b.start()
	require.Eventually(t, func() bool { return offered.most() > 0 }, waitLong, waitStep)
	require.NoError(t, stop())
	makeRoom()
	b.start()
	for _, e := range b.decisions(uploads) {
		require.Equal(t, event.NoMatch, e.Data.Reason)
	}
	b.settled()
}

// Uploads whose decisions NATS does not take are not stuck.
func TestWaitingForNATSIsNoHang(t *testing.T) {
	f := flights{items: map[*item]struct{}{{pulled: time.Now().Add(-time.Hour)}: {}}}
	require.GreaterOrEqual(t, f.oldest(time.Now()), time.Hour)
	f.touch()
	require.Less(t, f.oldest(time.Now()), time.Hour)
}
