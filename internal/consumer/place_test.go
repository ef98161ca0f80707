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

// Uploads that are decided late, after their stream was made anew or put back, end no upload that has their sequence number now.
func TestLateAckEndsNoOtherUpload(t *testing.T) {
	for name, renew := range map[string]func(*storedServer){
		"the stream is made anew": (*storedServer).makeStreamAnew,
		"the store is put back":   (*storedServer).putStoreBack,
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			b := s.bench
			const uploads = 3
			for i := range uploads {
				b.publish(fmt.Sprint("plain ", i))
			}
			b.judges.away.Store("postgres")
			c, _ := b.startConsumer()
			require.Eventually(t, func() bool { return b.judges.decodes.Load() == uploads && len(c.Away()) == 1 }, waitLong, waitStep)

			renew(s)
			durable, _, err := EnsureStreams(t.Context(), b.js, StreamOptions{Replicas: 1, AckWait: time.Minute, MaxAckPending: 100})
			require.NoError(t, err)
			for i := range uploads {
				b.publish(fmt.Sprint("flagged ", i))
			}
			other, err := durable.Fetch(uploads, jetstream.FetchMaxWait(waitLong)) // another moderator has them, and has not decided them
			require.NoError(t, err)
			pulled := 0
			for range other.Messages() {
				pulled++
			}
			require.Equal(t, uploads, pulled)

			b.judges.away.Store("")
			b.decisions(uploads)
			require.Eventually(t, func() bool { return c.flights.count() == 0 }, waitLong, waitStep)
			require.Equal(t, uploads, b.count(event.UploadsStream), "the other moderator's are not acknowledged")
		})
	}
}

// storedServer is a JetStream server whose store can be put back to how it was at first.
type storedServer struct {
	*bench
	dir, listen string
	stop        func()
}

func newServer(t *testing.T) *storedServer {
	s := &storedServer{dir: t.TempDir(), listen: "127.0.0.1:0"}
	s.serve(t)
	s.bench = newBenchOn(t, "nats://"+s.listen, 1, func(c *Config) { c.AckWait = time.Minute })
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

func (s *storedServer) makeStreamAnew() {
	require.NoError(s.t, s.js.DeleteStream(s.t.Context(), event.UploadsStream))
}

func (s *storedServer) putStoreBack() {
	s.stop()
	live := filepath.Join(s.dir, "live")
	require.NoError(s.t, os.RemoveAll(live))
	require.NoError(s.t, os.CopyFS(live, os.DirFS(filepath.Join(s.dir, "copy"))))
	s.serve(s.t)
	s.connected()
}
