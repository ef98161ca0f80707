package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/synth"
)

// stats counts the decisions of a running moderator by verdict and by bank, and lists flags without a match.
func TestStatsOfDecisions(t *testing.T) {
	t.Parallel()
	r := start(t, dataDir(t))
	js := r.jetStream()
	_, err := r.flagctl("bank", "add", "spam")
	require.NoError(t, err)
	flag := func(number int, bank string) (id string) {
		out, err := r.flagctl("add", "--bank", bank, write(t, "flagged.jpg", encode(t, synth.Draw(1, number, 640, 480), 90)))
		require.NoError(t, err)
		var added []struct{ ID string }
		require.NoError(t, json.Unmarshal([]byte(out), &added))
		return added[0].ID
	}
	flag(0, "default")
	flag(1, "spam")
	never := flag(2, "spam")
	const decisions = 7
	for _, number := range []int{0, 0, 1, 3, 4, 5} {
		publish(t, js, encode(t, synth.Draw(1, number, 640, 480), 60))
	}
	publish(t, js, []byte("no picture"))
	r.all(js, decisions)

	type bank struct {
		Bank                                string
		Flags, Blocked, Reviewed, Unmatched int
	}
	var got struct {
		Uploads   struct{ Allowed, Blocked, Reviewed int }
		Banks     []bank
		Unmatched []struct{ ID string }
	}
	out, err := r.flagctl("stats", "--unmatched", "9")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	require.Equal(t, struct{ Allowed, Blocked, Reviewed int }{3, 3, 1}, got.Uploads)
	require.Equal(t, []bank{
		{Bank: "default", Flags: 1, Blocked: 2},
		{Bank: "spam", Flags: 2, Blocked: 1, Unmatched: 1},
	}, got.Banks)
	require.Equal(t, []struct{ ID string }{{never}}, got.Unmatched)
}
