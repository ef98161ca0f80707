package main

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"moderator/internal/event"
	"moderator/internal/synth"
)

// A flag that blocks more than the rate asks for review until it is released.
func TestQuarantine(t *testing.T) {
	t.Parallel()
	r := start(t, dataDir(t), "--quarantine-rate", "1")
	js := r.jetStream()
	flagged := encode(t, synth.Draw(1, 0, 320, 240), 90)
	_, err := r.flagctl("add", write(t, "flagged.jpg", flagged))
	require.NoError(t, err)
	publish(t, js, flagged)
	publish(t, js, flagged)
	for _, d := range r.all(js, 2) {
		require.Equal(t, event.Block, d.Verdict)
	}
	var listed []struct{ ID string }
	require.Eventually(t, func() bool {
		out, err := r.flagctl("list", "--quarantined")
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal([]byte(out), &listed))
		return len(listed) > 0
	}, time.Minute, 100*time.Millisecond, "the flag is in quarantine soon after the decision")
	publish(t, js, flagged)
	third := r.all(js, 3)["UPLOADS:3"]
	require.Equal(t, []any{event.Review, event.Match, true}, []any{third.Verdict, third.Reason, third.Match.Quarantined})
	_, err = r.flagctl("release", listed[0].ID, "--reason", "a campaign")
	require.NoError(t, err)
	publish(t, js, flagged)
	fourth := r.all(js, 4)["UPLOADS:4"]
	require.Equal(t, []any{event.Block, false}, []any{fourth.Verdict, fourth.Match.Quarantined})
}
