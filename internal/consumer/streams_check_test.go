package consumer

import (
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"moderator/internal/event"
)

// Streams and a durable with an operator's own settings are used as they are. What may lose or repeat something is named.
func TestStreamsOfAnOperator(t *testing.T) {
	t.Parallel()
	h := newHarness(t, nil)
	options := StreamOptions{Replicas: 1, AckWait: h.cfg.AckWait, DuplicateWindow: time.Minute, KeepDecisions: time.Hour, MaxAckPending: 100}
	warnings, err := StreamWarnings(t.Context(), h.js, options)
	require.NoError(t, err)
	require.Empty(t, warnings, "moderator's own")

	require.NoError(t, h.js.DeleteStream(t.Context(), event.UploadsStream))
	require.NoError(t, h.js.DeleteStream(t.Context(), event.DecisionsStream))
	for _, cfg := range []jetstream.StreamConfig{
		{Name: event.UploadsStream, Subjects: []string{event.UploadsSubject}, MaxMsgs: 10, MaxAge: time.Hour, Duplicates: time.Second},
		{Name: event.DecisionsStream, Subjects: []string{event.DecisionsSubject}, Duplicates: time.Second},
	} {
		_, err := h.js.CreateStream(t.Context(), cfg)
		require.NoError(t, err)
	}
	_, err = h.js.CreateConsumer(t.Context(), event.UploadsStream, jetstream.ConsumerConfig{
		Durable: event.DurableName, AckPolicy: jetstream.AckExplicitPolicy, AckWait: time.Second, MaxDeliver: 5, FilterSubject: "uploads.web",
	})
	require.NoError(t, err)
	_, created, err := EnsureStreams(t.Context(), h.js, options)
	require.NoError(t, err)
	require.Empty(t, created)
	warnings, err = StreamWarnings(t.Context(), h.js, options)
	require.NoError(t, err)
	require.Len(t, warnings, 5)
	for i, want := range []string{
		"drops its oldest uploads", "after 1h0m0s", "--dupe-window=1m0s", "--max-deliver=-1", "only the uploads of [uploads.web]",
	} {
		require.True(t, strings.Contains(warnings[i], want), "%q in %q", want, warnings[i])
	}
}
