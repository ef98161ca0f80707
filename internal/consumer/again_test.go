package consumer

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"moderator/internal/decisions"
	"moderator/internal/devstack"
	"moderator/internal/event"
)

// decided waits until the uploads are decided, and returns the verdict on each by its id.
func (b *bench) decided(n int) map[string]event.Verdict {
	b.t.Helper()
	verdicts := map[string]event.Verdict{}
	for _, e := range b.decisions(n) {
		require.NotContains(b.t, verdicts, e.Data.Upload.ID, "decided twice")
		verdicts[e.Data.Upload.ID] = e.Data.Verdict
	}
	return verdicts
}

// A stream that is deleted counts its uploads from one again: they are decided, whatever was decided on those numbers.
func TestStreamThatIsMadeAnew(t *testing.T) {
	b := newBench(t, nil)
	for _, id := range []string{"old-1", "old-2", "old-3"} {
		b.publish("plain", "Nats-Msg-Id", id)
	}
	stop := b.start()
	b.settled()
	require.NoError(t, stop())
	require.NoError(t, b.js.DeleteStream(t.Context(), event.UploadsStream))

	var err error
	b.durable, _, err = EnsureStreams(t.Context(), b.js, StreamOptions{Replicas: 1, AckWait: b.cfg.AckWait, MaxAckPending: 100})
	require.NoError(t, err)
	for _, id := range []string{"new-1", "new-2", "new-3"} {
		b.publish("flagged", "Nats-Msg-Id", id)
	}
	b.start()
	b.settled()
	require.Equal(t, map[string]event.Verdict{
		"old-1": "allow", "old-2": "allow", "old-3": "allow", "new-1": "block", "new-2": "block", "new-3": "block",
	}, b.decided(6))
}

// A server whose store is put back to an earlier copy, while moderator runs, gives numbers again.
func TestStoreThatIsPutBack(t *testing.T) {
	for name, only := range map[string]string{"all of it": "", "the uploads alone": event.UploadsStream, "their messages alone": filepath.Join(event.UploadsStream, "msgs")} {
		t.Run(name, func(t *testing.T) { putBack(t, only) })
	}
}

func putBack(t *testing.T, only string) {
	dir, listen := t.TempDir(), "127.0.0.1:0"
	serve := func() (stop func()) {
		s, err := devstack.StartNATS(t.Context(), devstack.NATSOptions{StoreDir: filepath.Join(dir, "live"), Listen: listen})
		require.NoError(t, err)
		listen = s.URL[len("nats://"):]
		t.Cleanup(s.Shutdown)
		return s.Shutdown
	}
	stop := serve()
	b := newBenchOn(t, "nats://"+listen, 1, nil)
	up := func() {
		stop = serve()
		require.Eventually(t, func() bool {
			_, err := b.js.AccountInfo(t.Context())
			return err == nil
		}, waitLong, waitStep, "connected again")
	}
	end := b.start()
	b.publish("plain", "Nats-Msg-Id", "before")
	b.settled()
	stop()
	require.NoError(t, os.CopyFS(filepath.Join(dir, "copy"), os.DirFS(filepath.Join(dir, "live"))))
	up()
	for _, id := range []string{"gone-1", "gone-2", "gone-3"} {
		b.publish("plain", "Nats-Msg-Id", id)
	}
	b.settled()
	stop()
	streams := filepath.Join("store", "jetstream", "$G", "streams", only)
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "live", streams)))
	require.NoError(t, os.CopyFS(filepath.Join(dir, "live", streams), os.DirFS(filepath.Join(dir, "copy", streams))))
	up()
	for _, id := range []string{"after-1", "after-2", "after-3"} {
		b.publish("flagged", "Nats-Msg-Id", id)
	}
	b.settled()
	want := map[string]event.Verdict{"before": "allow", "after-1": "block", "after-2": "block", "after-3": "block"}
	if only != "" {
		for _, id := range []string{"gone-1", "gone-2", "gone-3"} {
			want[id] = "allow"
		}
	}
	require.Equal(t, want, b.decided(len(want)))
	require.NoError(t, end())
}

// A moderator that dies after it published and before it acknowledged leaves an upload that comes again: the stream
// knows its decision, and that one stands.
func TestRedeliveryAfterPublishMakesNoSecondDecision(t *testing.T) {
	b := newBench(t, nil)
	b.publish("flagged")
	d := event.Decision{Verdict: event.Allow, Reason: event.NoMatch, Upload: b.firstUpload()}
	_, duplicate, err := decisions.Store(t.Context(), b.js, d)
	require.NoError(t, err)
	require.False(t, duplicate)
	c, _ := b.startConsumer()
	b.settled()
	require.Equal(t, 1, b.count(event.DecisionsStream))
	require.EqualValues(t, 1, testutil.ToFloat64(c.metrics.uploads.WithLabelValues("allow", "no_match")), "the first decision stands")
	require.Zero(t, testutil.ToFloat64(c.metrics.falseDuplicates))
}

// firstUpload is upload 1 as its decision names it.
func (b *bench) firstUpload() event.UploadInfo {
	b.t.Helper()
	stream, err := b.js.Stream(b.t.Context(), event.UploadsStream)
	require.NoError(b.t, err)
	msg, err := stream.GetMsg(b.t.Context(), 1)
	require.NoError(b.t, err)
	upload, err := event.ParseUpload(event.Message{
		Subject: msg.Subject, Stream: event.UploadsStream, Sequence: 1, Timestamp: msg.Time, Header: msg.Header, Data: msg.Data,
	})
	require.NoError(b.t, err)
	return event.NewUploadInfo(upload)
}

// A stream that knows a decision's id and does not have the decision acknowledges nothing: the upload waits, with an error,
// until the id is forgotten.
func TestFalseDuplicateIsNoDecision(t *testing.T) {
	for name, spoil := range map[string]func(*bench, *jetstream.PubAck){
		"the message is deleted": func(b *bench, ack *jetstream.PubAck) {
			stream, err := b.js.Stream(b.t.Context(), event.DecisionsStream)
			require.NoError(b.t, err)
			require.NoError(b.t, stream.DeleteMsg(b.t.Context(), ack.Sequence))
		},
		"the message is another's": func(*bench, *jetstream.PubAck) {},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, func(c *Config) { c.Attempts = 1000 })
			b.publish("flagged")
			msg := nats.NewMsg("decisions.allow")
			msg.Header.Set(jetstream.MsgIDHeader, b.firstUpload().Key())
			ack, err := b.js.PublishMsg(t.Context(), msg)
			require.NoError(t, err)
			spoil(b, ack)
			before := b.count(event.DecisionsStream)
			c, _ := b.startConsumer()
			require.Eventually(t, func() bool { return testutil.ToFloat64(c.metrics.falseDuplicates) > 1 }, waitLong, waitStep)
			require.Equal(t, before, b.count(event.DecisionsStream))
			require.Equal(t, 1, b.count(event.UploadsStream), "it is not acknowledged")

			stream, err := b.js.Stream(t.Context(), event.DecisionsStream)
			require.NoError(t, err)
			cfg := stream.CachedInfo().Config
			cfg.Duplicates = 100 * time.Millisecond
			stream, err = b.js.UpdateStream(t.Context(), cfg)
			require.NoError(t, err)
			b.settled()
			require.Equal(t, before+1, b.count(event.DecisionsStream))
			last, err := stream.GetLastMsgForSubject(t.Context(), "decisions.block")
			require.NoError(t, err)
			e, err := event.DecodeDecision(last.Data)
			require.NoError(t, err)
			require.Equal(t, event.Match, e.Data.Reason)
		})
	}
}
