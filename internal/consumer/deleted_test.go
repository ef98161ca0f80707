package consumer

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"moderator/internal/event"
)

// A stream that is gone when the server is back tells nobody that its durable was deleted. Run ends all the same, so that a
// new start creates both.
func TestRunEndsWithItsStream(t *testing.T) {
	t.Parallel()
	s := newServer(t, 2)
	s.publish("plain")
	c := s.consumer()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	s.settled()

	s.stop()
	require.NoError(t, os.RemoveAll(filepath.Join(s.dir, "live", "store", "jetstream", "$G", "streams", event.UploadsStream)))
	s.serve(t)
	select {
	case err := <-ended:
		require.ErrorIs(t, err, jetstream.ErrStreamNotFound)
	case <-time.After(3 * waitLong):
		t.Error("Run waits for a stream that does not exist")
		cancel()
		<-ended
	}
}
