package main

import (
	"bytes"
	"crypto/sha1"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"moderator/internal/embed"
	"moderator/models"
)

// A model that was pulled from the hub of HF_ENDPOINT is where --model finds it.
func TestPulledModelIsRun(t *testing.T) {
	commit := strings.Repeat("5", 40)
	hub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, found := strings.CutPrefix(r.URL.Path, "/owner/copy/resolve/"+commit+"/")
		data, err := fs.ReadFile(models.CopyDetect(), name)
		if !found || err != nil || name == "moderation.json" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("X-Repo-Commit", commit)
		w.Header().Set("ETag", fmt.Sprintf("\"%x\"", sha1.Sum(fmt.Appendf(nil, "blob %d\x00%s", len(data), data))))
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(data))
	}))
	defer hub.Close()
	t.Setenv("HF_ENDPOINT", hub.URL)
	t.Setenv("HF_TOKEN", "secret")
	dir := t.TempDir()
	var said, notes bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"model", "pull", "owner/copy", "--revision", commit, "--into", dir}, &said, &notes), notes.String())
	folder := filepath.Join(dir, "owner", "copy")
	for _, want := range []string{
		"revision " + commit, "folder         " + folder, "preprocessing  rgb shortest_edge=0 resize=128x128", "width          256 numbers",
		"fingerprint    ", "none: measure them with `flagctl --model " + folder + " calibrate`", "next           moderator check --model " + folder,
	} {
		require.Contains(t, said.String(), want)
	}
	require.Contains(t, notes.String(), "fetching onnx/vision_model.onnx, ")
	loaded, err := embed.LoadDir(folder)
	require.NoError(t, err)
	require.Contains(t, said.String(), loaded.Fingerprint())

	err = run(t.Context(), []string{"model", "pull", "owner/absent", "--into", dir}, &said, &notes)
	require.ErrorContains(t, err, hub.URL+" has no model owner/absent at revision main")
}
