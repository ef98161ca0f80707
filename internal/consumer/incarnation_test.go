package consumer

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"moderator/internal/devstack"
	"moderator/internal/event"
)

// Uploads that are decided after their stream was created again or restored do not acknowledge the uploads that have their
// sequence numbers by then.
func TestLateAckDeletesNoOtherUpload(t *testing.T) {
	t.Parallel()
	const uploads = 3
	for name, renew := range map[string]func(*storedServer){
		"the stream is created again": (*storedServer).recreateStream,
		"the store is restored":       (*storedServer).restoreStore,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, uploads)
			h := s.harness
			for i := range uploads {
				h.publish(fmt.Sprint("slow ", i))
			}
			h.fakes.gate = make(chan struct{})
			c, stop := h.startConsumer()
			require.Eventually(t, func() bool { return h.fakes.decodes.Load() == uploads }, waitLong, waitStep, "all of them are pulled")
			h.fakes.away.Store("postgres")
			close(h.fakes.gate)
			require.Eventually(t, func() bool { return len(c.Away()) == 1 }, waitLong, waitStep)

			renew(s)
			durable, _, err := EnsureStreams(t.Context(), h.js, StreamOptions{Replicas: 1, AckWait: time.Minute, MaxAckPending: 100})
			require.NoError(t, err)
			for i := range uploads {
				h.publish(fmt.Sprint("flagged ", i))
			}
			other, err := durable.Fetch(uploads, jetstream.FetchMaxWait(waitLong)) // another moderator has them in flight
			require.NoError(t, err)
			pulled := 0
			for range other.Messages() {
				pulled++
			}
			require.Equal(t, uploads, pulled)

			h.fakes.away.Store("")
			h.decisions(uploads)
			require.Eventually(t, func() bool { return c.inFlight.count() == 0 }, waitLong, waitStep)
			require.Equal(t, uploads, h.count(event.UploadsStream), "the other moderator's uploads are not acknowledged")
			if err := stop(); err != nil { // it looked while there was no stream
				require.ErrorContains(t, err, "start moderator again to create it")
			}
		})
	}
}

// storedServer is a JetStream server whose store can be restored to its first state.
type storedServer struct {
	*harness
	dir, listen string
	stop        func()
}

func newServer(t *testing.T, workers int) *storedServer {
	s := &storedServer{dir: t.TempDir(), listen: "127.0.0.1:0"}
	s.serve(t)
	s.harness = newHarnessOn(t, "nats://"+s.listen, 1, func(c *Config) {
		c.AckWait, c.DrainTime, c.Workers = time.Minute, time.Minute, workers
	})
	s.stop()
	require.NoError(t, os.CopyFS(filepath.Join(s.dir, "copy"), os.DirFS(filepath.Join(s.dir, "live"))))
	s.serve(t)
	s.connected()
	return s
}

func (s *storedServer) serve(t *testing.T) {
	running, err := devstack.StartNATS(t.Context(), devstack.NATSOptions{StoreDir: filepath.Join(s.dir, "live"), Listen: s.listen})
	require.NoError(t, err)
	t.Cleanup(running.Shutdown)
	s.listen, s.stop = running.URL[len("nats://"):], running.Shutdown
}

func (s *storedServer) connected() {
	require.Eventually(s.t, func() bool {
		_, err := s.js.AccountInfo(s.t.Context())
		return err == nil
	}, waitLong, waitStep, "connected again")
}

func (s *storedServer) recreateStream() {
	require.NoError(s.t, s.js.DeleteStream(s.t.Context(), event.UploadsStream))
}

func (s *storedServer) restoreStore() {
	s.stop()
	live := filepath.Join(s.dir, "live")
	require.NoError(s.t, os.RemoveAll(live))
	require.NoError(s.t, os.CopyFS(live, os.DirFS(filepath.Join(s.dir, "copy"))))
	s.serve(s.t)
	s.connected()
}
