package main

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"moderator/internal/synth"
	"moderator/internal/testenv"
)

// example holds the commands of a language's publisher and reader of decisions.
type example struct {
	publish, read []string
	missing       string // why it cannot run here, and what installs it
}

func examples(t *testing.T) map[string]example {
	t.Helper()
	dir := filepath.Join(testenv.Root(), "examples")
	programs := t.TempDir()
	out, err := exec.Command("go", "build", "-o", programs, "moderator/examples/go/...").CombinedOutput()
	require.NoError(t, err, string(out))
	all := map[string]example{"go": {publish: []string{filepath.Join(programs, "publish")}, read: []string{filepath.Join(programs, "decisions")}}}

	node := example{
		publish: []string{"node", filepath.Join(dir, "node", "publish.mjs")},
		read:    []string{"node", filepath.Join(dir, "node", "decisions.mjs")},
	}
	if _, err := exec.LookPath("node"); err != nil {
		node.missing = "node is not installed"
	} else if _, err := os.Stat(filepath.Join(dir, "node", "node_modules")); err != nil {
		node.missing = "examples/node has no node_modules: make examples installs them"
	}
	all["node"] = node

	interpreter := filepath.Join(dir, "python", ".venv", "bin", "python")
	python := example{
		publish: []string{interpreter, filepath.Join(dir, "python", "publish.py")},
		read:    []string{interpreter, filepath.Join(dir, "python", "decisions.py")},
	}
	if _, err := os.Stat(interpreter); err != nil {
		python.missing = "examples/python has no .venv: make examples installs it"
	}
	all["python"] = python
	return all
}

// The examples work: each publishes a file and a reference, and reads each decision once.
func TestExamples(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "picture.jpg")
	require.NoError(t, os.WriteFile(file, encode(t, synth.Draw(1, 0, 320, 240), 90), 0o644))
	pictures := httptest.NewServer(http.FileServer(http.Dir(filepath.Dir(file))))
	defer pictures.Close()
	r := start(t, dataDir(t), "--fetch-host", pictures.Listener.Addr().String(), "--fetch-allow-cidr", "127.0.0.0/8")
	for language, e := range examples(t) {
		t.Run(language, func(t *testing.T) {
			if e.missing != "" {
				t.Skip(e.missing)
			}
			run := func(command []string, args ...string) *exec.Cmd {
				cmd := exec.CommandContext(t.Context(), command[0], append(slices.Clone(command[1:]), args...)...)
				cmd.Env = append(os.Environ(), "NATS_URL="+r.state.NATSURL)
				cmd.Stderr = t.Output()
				return cmd
			}
			require.NoError(t, run(e.publish, language+"-file", file).Run())
			require.NoError(t, run(e.publish, language+"-file", file).Run(), "a publisher's second try")
			require.NoError(t, run(e.publish, language+"-reference", pictures.URL+"/picture.jpg").Run())

			js := r.jetStream()
			stream, err := js.Stream(t.Context(), "DECISIONS")
			require.NoError(t, err)
			require.Eventually(t, func() bool {
				uploads, err := js.Stream(t.Context(), "UPLOADS")
				return err == nil && uploads.CachedInfo().State.Msgs == 0
			}, time.Minute, 10*time.Millisecond, "all uploads are decided")
			info, err := stream.Info(t.Context())
			require.NoError(t, err)
			again, err := stream.GetMsg(t.Context(), info.State.LastSeq)
			require.NoError(t, err)
			_, err = js.Publish(t.Context(), again.Subject, again.Data) // as outside the dedupe window
			require.NoError(t, err)
			_, err = js.Publish(t.Context(), "decisions.last", []byte(`{"id":"`+language+`","subject":"`+language+`"}`))
			require.NoError(t, err)

			reader := run(e.read, language)
			printed, err := reader.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, reader.Start())
			lines := map[string]int{}
			for scanner := bufio.NewScanner(printed); lines["decisions.last "+language] == 0 && scanner.Scan(); {
				lines[scanner.Text()]++
			}
			require.Equal(t, 1, lines["decisions.allow "+language+"-file"], lines)
			require.Equal(t, 1, lines["decisions.allow "+language+"-reference"], lines)
			consumer, err := js.Consumer(t.Context(), "DECISIONS", language)
			require.NoError(t, err)
			require.Eventually(t, func() bool {
				info, err := consumer.Info(t.Context())
				return err == nil && info.NumPending == 0 && info.NumAckPending == 0
			}, time.Minute, 10*time.Millisecond, "all decisions are acknowledged")
			require.NoError(t, reader.Process.Kill())
			require.Error(t, reader.Wait(), "it reads until it is killed")
		})
	}
}
