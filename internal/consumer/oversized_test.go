package consumer

import (
	"fmt"
	"strings"
	"testing"

	"moderator/internal/event"

	"github.com/stretchr/testify/require"
)

// limitDecisions sets the largest message of DECISIONS; -1 means no limit.
func (h *harness) limitDecisions(bytes int32) {
	h.t.Helper()
	stream, err := h.js.Stream(h.t.Context(), event.DecisionsStream)
	require.NoError(h.t, err)
	cfg := stream.CachedInfo().Config
	cfg.MaxMsgSize = bytes
	_, err = h.js.UpdateStream(h.t.Context(), cfg)
	require.NoError(h.t, err)
}

// A decision that its attributes make too large is stored without them, with attributes_omitted.
func TestAttributesThatMakeADecisionTooLargeAreLeftOut(t *testing.T) {
	t.Parallel()
	const most = 2 << 10
	h := newHarness(t, nil)
	h.limitDecisions(most)
	// JSON writes an ampersand in six bytes.
	h.publish(`{"id": "large", "url": "https://gone.example/", "note": "`+strings.Repeat("&", most/4)+`"}`, "Content-Type", "application/json")
	h.publish(`{"id": "small", "url": "https://gone.example/", "note": "&"}`, "Content-Type", "application/json")
	h.start()
	for _, e := range h.decisions(2) {
		u := e.Data.Upload
		require.Equal(t, u.ID == "large", u.AttributesOmitted, u.ID)
		require.Equal(t, u.ID == "large", len(u.Attributes) == 0, u.ID)
		require.Equal(t, "fetch_failed", string(e.Data.Reason))
	}
	h.settled()
}

// Decisions that are too large even without attributes block no others, although they are as many as there are workers.
func TestOversizedDecisionsBlockNoOthers(t *testing.T) {
	t.Parallel()
	const large, uploads, most = 4, 20, 2 << 10
	h := newHarness(t, func(c *Config) { c.Attempts = 1000 })
	h.limitDecisions(most)
	for range large {
		h.publish(`{"id": "large", "url": "https://gone.example/`+strings.Repeat("x", most)+`"}`, "Content-Type", "application/json")
	}
	for i := range uploads {
		h.publish(fmt.Sprint("upload", i))
	}
	h.start()
	h.decisions(uploads)
	require.Eventually(t, func() bool { return h.count(event.UploadsStream) == large }, waitLong, waitStep)
	h.limitDecisions(-1)
	for _, e := range h.decisions(uploads + large)[uploads:] {
		require.Equal(t, "large", e.Data.Upload.ID)
	}
	h.settled()
}
