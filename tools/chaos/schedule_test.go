package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSeedReproducesTheSchedule(t *testing.T) {
	require.Equal(t, schedule(7, 100, 3), schedule(7, 100, 3))
	require.NotEqual(t, schedule(7, 100, 3), schedule(8, 100, 3))
	require.Equal(t, schedule(7, 20, 2), schedule(7, 100, 2)[:20], "a longer run begins as the shorter one")
}

func TestEachDealHasEveryKind(t *testing.T) {
	seen := map[kind]int{}
	for _, k := range schedule(1, len(deck), 2) {
		seen[k.kind]++
		require.Less(t, k.victim, 2)
		require.GreaterOrEqual(t, k.gap, shortestGap)
		if k.kind == freezeModerator {
			require.Greater(t, k.down, ackWait, "its uploads must be delivered to others meanwhile")
		}
	}
	require.Len(t, seen, 10)
}

func TestSeedReproducesTheUploads(t *testing.T) {
	flagged, unrelated, err := drawPictures()
	require.NoError(t, err)
	require.Len(t, flagged, pictures/3)
	uploads, objects := makeUploads(3, 500, flagged, unrelated)
	again, _ := makeUploads(3, 500, flagged, unrelated)
	require.Equal(t, uploads, again)
	wanted := map[string]int{}
	for _, u := range uploads {
		wanted[u.verdict+"/"+u.reason]++
	}
	for _, kind := range []string{"block/match", "allow/no_match", "review/undecodable", "review/unsupported", "review/fetch_failed"} {
		require.NotZero(t, wanted[kind], kind)
	}
	require.NotEmpty(t, objects)
}
