package consumer

import (
	"fmt"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"moderator/internal/devstack"
	"moderator/internal/event"
)

// With the server's store full, new uploads are refused to their publisher, and those that were stored wait: when there is
// room again each gets its decision. After as many failures as a stage has attempts that is a review.
func TestFullStoreLosesNothing(t *testing.T) {
	const uploads, room = 12, 4 << 20
	s, err := devstack.StartNATS(t.Context(), devstack.NATSOptions{StoreDir: t.TempDir(), Listen: "127.0.0.1:0", MaxStore: room})
	require.NoError(t, err)
	t.Cleanup(s.Shutdown)
	b := newBenchOn(t, s.URL, 1, nil)
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

	_, err = b.js.Publish(t.Context(), "uploads.test", []byte("one more"))
	require.ErrorContains(t, err, "insufficient", "the publisher is told")
	b.start()
	deliveries := int64(uploads * b.cfg.Attempts)
	require.Eventually(t, func() bool { return b.judges.decodes.Load() >= deliveries }, waitLong, waitStep)
	require.Zero(t, b.count(DecisionsStream))
	require.Equal(t, uploads, b.count(UploadsStream), "none is given up")

	require.NoError(t, ballast.Purge(t.Context()))
	for _, e := range b.decisions(uploads) {
		require.Contains(t, []event.Reason{event.NoMatch, event.RetriesExhausted}, e.Data.Reason)
	}
	b.settled()
}
