package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"moderator/internal/synth"
)

// After SIGHUP, uploads are fetched from the hosts that the file names now. A file with a mistake changes nothing.
func TestSettingsAreReadAgain(t *testing.T) {
	t.Parallel()
	picture := encode(t, synth.Draw(1, 0, 320, 240), 90)
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(picture) }))
	t.Cleanup(store.Close)
	file := filepath.Join(t.TempDir(), "moderator.yaml")
	settings := func(text string) {
		require.NoError(t, os.WriteFile(file, []byte("fetch-allow-cidr: 127.0.0.0/8\n"+text), 0o644))
	}
	settings("")
	r := start(t, dataDir(t), "--config", file)
	js := r.jetStream()
	reference, err := json.Marshal(map[string]string{"url": store.URL + "/a.jpg"})
	require.NoError(t, err)
	sent := 0
	verdict := func() string {
		sent++
		publish(t, js, reference, "Content-Type", "application/json")
		return r.decisions(js, sent)[fmt.Sprintf("UPLOADS:%d", sent)]
	}
	require.Equal(t, "review", verdict(), "no host is allowed")

	settings("fetch-host: [\"" + strings.TrimPrefix(store.URL, "http://") + "\"]\nlog-level: debug\nbatch-size: 7\n")
	require.NoError(t, r.cmd.Process.Signal(syscall.SIGHUP))
	for deadline := time.Now().Add(time.Minute); verdict() != "allow"; {
		require.True(t, time.Now().Before(deadline), "the host is not allowed")
	}
	settings("fetch-hots: nobody\n")
	require.NoError(t, r.cmd.Process.Signal(syscall.SIGHUP))
	require.Equal(t, "allow", verdict())
	require.NoError(t, r.signal(syscall.SIGTERM))
	printed := r.printed.String()
	require.Contains(t, printed, `"msg":"the settings are read again"`)
	require.Contains(t, printed, `"settings":["batch-size"]`)
	require.Contains(t, printed, `"level":"DEBUG"`)
}
