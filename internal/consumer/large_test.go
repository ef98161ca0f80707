package consumer

import (
	"fmt"
	"strings"
	"testing"

	"moderator/internal/event"

	"github.com/stretchr/testify/require"
)

// limitDecisions sets the largest message that DECISIONS takes; -1 takes any.
func (b *bench) limitDecisions(bytes int32) {
	b.t.Helper()
	stream, err := b.js.Stream(b.t.Context(), event.DecisionsStream)
	require.NoError(b.t, err)
	cfg := stream.CachedInfo().Config
	cfg.MaxMsgSize = bytes
	_, err = b.js.UpdateStream(b.t.Context(), cfg)
	require.NoError(b.t, err)
}

// A decision whose attributes make it too large is stored without them, and says so.
func TestAttributesThatMakeADecisionTooLargeAreLeftOut(t *testing.T) {
	const most = 2 << 10
	b := newBench(t, nil)
	b.limitDecisions(most)
	// JSON writes an ampersand in six bytes.
	b.publish(`{"id": "large", "url": "https://gone.example/", "note": "`+strings.Repeat("&", most/4)+`"}`, "Content-Type", "application/json")
	b.publish(`{"id": "small", "url": "https://gone.example/", "note": "&"}`, "Content-Type", "application/json")
	b.start()
	for _, e := range b.decisions(2) {
		u := e.Data.Upload
		require.Equal(t, u.ID == "large", u.AttributesOmitted, u.ID)
		require.Equal(t, u.ID == "large", len(u.Attributes) == 0, u.ID)
		require.Equal(t, "fetch_failed", string(e.Data.Reason))
	}
	b.settled()
}

// Decisions that are larger than their stream takes without attributes too, even as many as there are workers, keep no
// others waiting.
func TestDecisionsThatDoNotFitHoldNothingUp(t *testing.T) {
	const large, uploads, most = 4, 20, 2 << 10
	b := newBench(t, func(c *Config) { c.Attempts = 1000 })
	b.limitDecisions(most)
	for range large {
		b.publish(`{"id": "large", "url": "https://gone.example/`+strings.Repeat("x", most)+`"}`, "Content-Type", "application/json")
	}
	for i := range uploads {
		b.publish(fmt.Sprint("upload", i))
	}
	b.start()
	b.decisions(uploads)
	require.Eventually(t, func() bool { return b.count(event.UploadsStream) == large }, waitLong, waitStep)
	b.limitDecisions(-1)
	for _, e := range b.decisions(uploads + large)[uploads:] {
		require.Equal(t, "large", e.Data.Upload.ID)
	}
	b.settled()
}
