package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/event"
	"moderator/internal/testenv"
)

// Photographs of facebook/ThreatExchange's tests of PDQ, with the shipped model and its thresholds: edited, turned and
// mirrored copies of a flag are blocked, and other photographs are allowed.
func TestPhotographs(t *testing.T) {
	t.Parallel()
	pdq := filepath.Join(testenv.Data(t), "photos", "threatexchange", "pdq", "data")
	r := start(t, dataDir(t))
	js := r.jetStream()
	sent := 0
	// decide publishes the files of a folder, and returns their names and decisions.
	decide := func(folder string, files int) map[string]event.Decision {
		paths, err := filepath.Glob(filepath.Join(pdq, folder, "*.jpg"))
		require.NoError(t, err)
		require.Len(t, paths, files, folder)
		for _, path := range paths {
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			publish(t, js, data)
		}
		decided := r.all(js, sent+files)
		byName := map[string]event.Decision{}
		for i, path := range paths {
			byName[filepath.Base(path)] = decided[fmt.Sprintf("UPLOADS:%d", sent+i+1)]
		}
		sent += files
		return byName
	}
	for _, flagged := range []struct {
		folder, original string
		copies           int // including the original
	}{
		{"bridge-mods", "aaa-orig.jpg", 12},
		{filepath.Join("reg-test-input", "dih"), "bridge-1-original.jpg", 8},
	} {
		out, err := r.flagctl("add", filepath.Join(pdq, flagged.folder, flagged.original))
		require.NoError(t, err)
		var added []struct{ ID string }
		require.NoError(t, json.Unmarshal([]byte(out), &added))
		for name, d := range decide(flagged.folder, flagged.copies) {
			require.Equal(t, []any{event.Block, event.Match}, []any{d.Verdict, d.Reason}, name)
			require.Equal(t, added[0].ID, d.Match.FlaggedID, name)
			t.Logf("%s: by %s, view %s", name, d.Signal, d.Match.View)
		}
		for name, d := range decide(filepath.Join("reg-test-input", "labelme-subset"), 7) {
			require.Equal(t, event.Allow, d.Verdict, name)
			require.Nil(t, d.Match, name)
		}
		// Both folders have pictures of the same bridge, so that only one flag at a time may be active.
		_, err = r.flagctl("retract", added[0].ID, "--reason", "the next flag is tested alone")
		require.NoError(t, err)
	}
}
