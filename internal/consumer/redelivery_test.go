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

// decided waits for n decisions and returns the verdicts by the ids of the uploads.
func (h *harness) decided(n int) map[string]event.Verdict {
	h.t.Helper()
	verdicts := map[string]event.Verdict{}
	for _, e := range h.decisions(n) {
		require.NotContains(h.t, verdicts, e.Data.Upload.ID, "decided twice")
		verdicts[e.Data.Upload.ID] = e.Data.Verdict
	}
	return verdicts
}

// A stream that is deleted and created again numbers its uploads from 1 again. They get decisions of their own.
func TestRecreatedStream(t *testing.T) {
	t.Parallel()
	h := newHarness(t, nil)
	for _, id := range []string{"old-1", "old-2", "old-3"} {
		h.publish("plain", "Nats-Msg-Id", id)
	}
	stop := h.start()
	h.settled()
	require.NoError(t, stop())
	require.NoError(t, h.js.DeleteStream(t.Context(), event.UploadsStream))

	var err error
	h.durable, _, err = EnsureStreams(t.Context(), h.js, StreamOptions{Replicas: 1, AckWait: h.cfg.AckWait, MaxAckPending: 100})
	require.NoError(t, err)
	for _, id := range []string{"new-1", "new-2", "new-3"} {
		h.publish("flagged", "Nats-Msg-Id", id)
	}
	h.start()
	h.settled()
	require.Equal(t, map[string]event.Verdict{
		"old-1": "allow", "old-2": "allow", "old-3": "allow", "new-1": "block", "new-2": "block", "new-3": "block",
	}, h.decided(6))
}

// A server whose store is restored from an earlier copy, while moderator runs, uses sequence numbers again.
func TestRestoredStore(t *testing.T) {
	t.Parallel()
	for name, only := range map[string]string{"all streams": "", "only UPLOADS": event.UploadsStream, "only the messages of UPLOADS": filepath.Join(event.UploadsStream, "msgs")} {
		t.Run(name, func(t *testing.T) { restoreStore(t, only) })
	}
}

func restoreStore(t *testing.T, only string) {
	t.Parallel()
	dir, listen := t.TempDir(), "127.0.0.1:0"
	serve := func() (stop func()) {
		s, err := devstack.StartNATS(t.Context(), devstack.NATSOptions{StoreDir: filepath.Join(dir, "live"), Listen: listen})
		require.NoError(t, err)
		listen = s.URL[len("nats://"):]
		t.Cleanup(s.Shutdown)
		return s.Shutdown
	}
	stop := serve()
	h := newHarnessOn(t, "nats://"+listen, 1, nil)
	up := func() {
		stop = serve()
		require.Eventually(t, func() bool {
			_, err := h.js.AccountInfo(t.Context())
			return err == nil
		}, waitLong, waitStep, "connected again")
	}
	end := h.start()
	h.publish("plain", "Nats-Msg-Id", "before")
	h.settled()
	stop()
	require.NoError(t, os.CopyFS(filepath.Join(dir, "copy"), os.DirFS(filepath.Join(dir, "live"))))
	up()
	for _, id := range []string{"lost-1", "lost-2", "lost-3"} {
		h.publish("plain", "Nats-Msg-Id", id)
	}
	h.settled()
	stop()
	streams := filepath.Join("store", "jetstream", "$G", "streams", only)
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "live", streams)))
	require.NoError(t, os.CopyFS(filepath.Join(dir, "live", streams), os.DirFS(filepath.Join(dir, "copy", streams))))
	up()
	for _, id := range []string{"after-1", "after-2", "after-3"} {
		h.publish("flagged", "Nats-Msg-Id", id)
	}
	h.settled()
	want := map[string]event.Verdict{"before": "allow", "after-1": "block", "after-2": "block", "after-3": "block"}
	if only != "" {
		for _, id := range []string{"lost-1", "lost-2", "lost-3"} {
			want[id] = "allow"
		}
	}
	require.Equal(t, want, h.decided(len(want)))
	require.NoError(t, end())
}

// A moderator that dies between publishing a decision and acknowledging the upload causes a redelivery. The decision that
// the stream has stands.
func TestRedeliveryAfterPublishMakesNoSecondDecision(t *testing.T) {
	t.Parallel()
	h := newHarness(t, nil)
	h.publish("flagged")
	d := event.Decision{Verdict: event.Allow, Reason: event.NoMatch, Upload: h.firstUpload()}
	_, duplicate, err := decisions.Store(t.Context(), h.js, d)
	require.NoError(t, err)
	require.False(t, duplicate)
	c, _ := h.startConsumer()
	h.settled()
	require.Equal(t, 1, h.count(event.DecisionsStream))
	require.EqualValues(t, 1, testutil.ToFloat64(c.metrics.uploads.WithLabelValues("allow", "no_match")), "the first decision stands")
	require.Zero(t, testutil.ToFloat64(c.metrics.falseDuplicates))
}

// firstUpload returns the description of upload 1 in its decision.
func (h *harness) firstUpload() event.UploadInfo {
	h.t.Helper()
	stream, err := h.js.Stream(h.t.Context(), event.UploadsStream)
	require.NoError(h.t, err)
	msg, err := stream.GetMsg(h.t.Context(), 1)
	require.NoError(h.t, err)
	upload, err := event.ParseUpload(event.Message{
		Subject: msg.Subject, Stream: event.UploadsStream, Sequence: 1, Timestamp: msg.Time, Header: msg.Header, Data: msg.Data,
	})
	require.NoError(h.t, err)
	return event.NewUploadInfo(upload)
}

// If the stream answers Duplicate and does not have the decision, the upload is not acknowledged. It is decided after the
// dedupe window.
func TestFalseDuplicateIsNoDecision(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*harness, *jetstream.PubAck){
		"the message is deleted": func(h *harness, ack *jetstream.PubAck) {
			stream, err := h.js.Stream(h.t.Context(), event.DecisionsStream)
			require.NoError(h.t, err)
			require.NoError(h.t, stream.DeleteMsg(h.t.Context(), ack.Sequence))
		},
		"the message is another's": func(*harness, *jetstream.PubAck) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, func(c *Config) { c.Attempts = 1000 })
			h.publish("flagged")
			msg := nats.NewMsg("decisions.allow")
			msg.Header.Set(jetstream.MsgIDHeader, h.firstUpload().Key())
			ack, err := h.js.PublishMsg(t.Context(), msg)
			require.NoError(t, err)
			spoil(h, ack)
			before := h.count(event.DecisionsStream)
			c, _ := h.startConsumer()
			require.Eventually(t, func() bool { return testutil.ToFloat64(c.metrics.falseDuplicates) > 1 }, waitLong, waitStep)
			require.Equal(t, before, h.count(event.DecisionsStream))
			require.Equal(t, 1, h.count(event.UploadsStream), "it is not acknowledged")

			stream, err := h.js.Stream(t.Context(), event.DecisionsStream)
			require.NoError(t, err)
			cfg := stream.CachedInfo().Config
			cfg.Duplicates = 100 * time.Millisecond
			stream, err = h.js.UpdateStream(t.Context(), cfg)
			require.NoError(t, err)
			h.settled()
			require.Equal(t, before+1, h.count(event.DecisionsStream))
			last, err := stream.GetLastMsgForSubject(t.Context(), "decisions.block")
			require.NoError(t, err)
			e, err := event.DecodeDecision(last.Data)
			require.NoError(t, err)
			require.Equal(t, event.Match, e.Data.Reason)
		})
	}
}
