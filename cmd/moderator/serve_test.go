package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"moderator/internal/endpoint"
	"moderator/internal/event"
	"moderator/internal/flagctl"
	"moderator/internal/synth"
	"moderator/internal/testenv"
	"moderator/internal/transforms"
)

// running is a moderator in its own process, with embedded servers.
type running struct {
	t       *testing.T
	dataDir string
	cmd     *exec.Cmd
	exited  chan error
	state   endpoint.State
	printed bytes.Buffer // stdout and stderr; read it only after the process has ended
}

// dataDir returns a path that Postgres' user can enter, and that is short enough for its socket.
func dataDir(t *testing.T) string {
	dir, err := os.MkdirTemp("", "moderator-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o755))
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "data")
}

func start(t *testing.T, dataDir string, flags ...string) *running {
	t.Helper()
	return startProgram(t, os.Args[0], dataDir, flags...)
}

// startProgram starts another binary as the moderator.
func startProgram(t *testing.T, program, dataDir string, flags ...string) *running {
	t.Helper()
	r := &running{t: t, dataDir: dataDir, exited: make(chan error, 1)}
	args := append([]string{"run", "--data-dir", dataDir, "--nats-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0"}, flags...)
	r.cmd = exec.Command(program, args...)
	r.cmd.Env = append(os.Environ(), runAsMain+"=1", "MODERATOR_ONNXRUNTIME_LIB="+testenv.ONNXRuntime(t))
	out := io.MultiWriter(t.Output(), &r.printed) // one writer for both, so that writes are serial
	r.cmd.Stdout, r.cmd.Stderr = out, out
	require.NoError(t, r.cmd.Start())
	go func() { r.exited <- r.cmd.Wait() }()
	t.Cleanup(func() { r.signal(syscall.SIGKILL) })
	require.Eventually(t, r.ready, 3*time.Minute, 50*time.Millisecond, "moderator is not ready")
	return r
}

// ready reports whether this process is ready. A killed one leaves its state file.
func (r *running) ready() bool {
	data, err := os.ReadFile(filepath.Join(r.dataDir, "moderator.json"))
	if err != nil || json.Unmarshal(data, &r.state) != nil || r.state.PID != r.cmd.Process.Pid {
		return false
	}
	code, _ := r.get("/readyz")
	return code == http.StatusOK
}

func (r *running) get(path string) (code int, body string) {
	response, err := http.Get(r.state.HTTPURL + path)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	require.NoError(r.t, err)
	return response.StatusCode, string(data)
}

// signal sends a signal, waits for the end of the process, and returns its error.
func (r *running) signal(s syscall.Signal) error {
	_ = r.cmd.Process.Signal(s)
	return r.end()
}

// end waits for the end of the process and returns its error.
func (r *running) end() error {
	select {
	case err := <-r.exited:
		r.exited <- err
		return err
	case <-time.After(3 * time.Minute):
		_ = r.cmd.Process.Kill()
		return errors.New("still running after 3 minutes")
	}
}

// flagctl runs a verb on the moderator's library and returns its JSON.
func (r *running) flagctl(args ...string) (string, error) {
	return runFlagctl(r.t, append([]string{"--data-dir", r.dataDir, "-o", "json"}, args...)...)
}

func runFlagctl(t *testing.T, args ...string) (string, error) {
	var out bytes.Buffer
	err := flagctl.Run(t.Context(), append([]string{"--onnxruntime-lib", testenv.ONNXRuntime(t)}, args...), &out, t.Output())
	return out.String(), err
}

func (r *running) jetStream() jetstream.JetStream {
	nc, err := nats.Connect(r.state.NATSURL)
	require.NoError(r.t, err)
	r.t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	require.NoError(r.t, err)
	return js
}

// decided waits for n decisions and returns their stream.
func (r *running) decided(js jetstream.JetStream, n int, within time.Duration) jetstream.Stream {
	r.t.Helper()
	stream, err := js.Stream(r.t.Context(), "DECISIONS")
	require.NoError(r.t, err)
	require.Eventually(r.t, func() bool {
		info, err := stream.Info(r.t.Context())
		return err == nil && info.State.Msgs >= uint64(n)
	}, within, 10*time.Millisecond, "waiting for %d decisions", n)
	return stream
}

// decisions waits for n decisions and returns the verdicts by the upload's "<stream>:<sequence>".
func (r *running) decisions(js jetstream.JetStream, n int) map[string]string {
	r.t.Helper()
	stream := r.decided(js, n, 2*time.Minute)
	verdicts := map[string]string{}
	for i := 1; i <= int(stream.CachedInfo().State.LastSeq); i++ {
		msg, err := stream.GetMsg(r.t.Context(), uint64(i))
		require.NoError(r.t, err)
		e, err := event.DecodeDecision(msg.Data)
		require.NoError(r.t, err)
		place := fmt.Sprintf("%s:%d", e.Data.Upload.Stream, e.Data.Upload.Sequence)
		require.NotContains(r.t, verdicts, place, "decided twice")
		verdicts[place] = string(e.Data.Verdict)
	}
	require.Len(r.t, verdicts, n)
	return verdicts
}

func encode(t *testing.T, picture image.Image, quality int) []byte {
	var file bytes.Buffer
	require.NoError(t, jpeg.Encode(&file, picture, &jpeg.Options{Quality: quality}))
	return file.Bytes()
}

// A flag counts for the next upload, and the HTTP endpoints work.
func TestServe(t *testing.T) {
	t.Parallel()
	r := start(t, dataDir(t))
	js := r.jetStream()
	code, body := r.get("/healthz")
	require.Equal(t, http.StatusOK, code, body)

	flagged := filepath.Join(t.TempDir(), "flagged.jpg")
	require.NoError(t, os.WriteFile(flagged, encode(t, synth.Draw(1, 0, 640, 480), 90), 0o644))
	copied := encode(t, synth.Draw(1, 0, 640, 480), 50)
	publish := func(data []byte) {
		_, err := js.Publish(t.Context(), "uploads.test", data)
		require.NoError(t, err)
	}
	publish(copied)
	require.Equal(t, map[string]string{"UPLOADS:1": "allow"}, r.decisions(js, 1))
	_, err := r.flagctl("add", flagged)
	require.NoError(t, err)
	publish(copied)
	publish([]byte("no picture"))
	publish(turned(t))
	require.Equal(t, map[string]string{"UPLOADS:1": "allow", "UPLOADS:2": "block", "UPLOADS:3": "review", "UPLOADS:4": "block"}, r.decisions(js, 4))

	code, body = r.get("/metrics")
	require.Equal(t, http.StatusOK, code)
	require.Contains(t, body, `moderator_uploads_total{reason="match",verdict="block"} 2`)
	require.Contains(t, body, `moderator_uploads_total{reason="unsupported",verdict="review"} 1`)
	require.Contains(t, body, "moderator_decode_worker_deaths_total 0")

	require.NoError(t, r.signal(syscall.SIGTERM), "it drains and exits without an error")
	require.Regexp(t, `"msg":"stopping: no more uploads are pulled, those in flight are finished","uploads":\d+,"drain_time"`, r.printed.String())
	require.Regexp(t, `"msg":"the uploads in flight are finished","took":`, r.printed.String())
	require.Contains(t, r.printed.String(), `"msg":"decided","uploads":`, "decisions are counted")
	require.NoFileExists(t, filepath.Join(r.dataDir, "moderator.json"))
	require.Contains(t, r.state.ConsoleURL, "?token=")
	_, token, _ := strings.Cut(r.state.ConsoleURL, "?token=")
	require.NotContains(t, r.printed.String(), token, "the log does not contain the console's token")
	require.Regexp(t, `"msg":"decode workers","workers":\d+,"confined_by":\["[^]]*limits[^]]*"\]`, r.printed.String(), "the log reports the confinement")
}

// turned returns the flagged picture turned by 25 degrees, which only keypoints match.
func turned(t *testing.T) []byte {
	for _, e := range transforms.Quality() {
		if e.Name == "rotated-25" {
			p := synth.Draw(1, 0, 640, 480)
			file, err := e.Apply(p, p, 1)
			require.NoError(t, err)
			return file
		}
	}
	panic("no such edit")
}

// After moderator is killed and restarted while uploads wait, each is decided once.
func TestKilledWhileUploadsWait(t *testing.T) {
	t.Parallel()
	const uploads = 200
	dir := dataDir(t)
	flags := []string{"--ack-wait", "4s", "--batch-budget", "3s"}
	r := start(t, dir, flags...)
	js := r.jetStream()
	for i := range uploads {
		_, err := js.PublishAsync("uploads.test", encode(t, synth.Draw(2, i%10, 320, 240), 50+i%40))
		require.NoError(t, err)
	}
	<-js.PublishAsyncComplete()
	_ = r.signal(syscall.SIGKILL)

	r = start(t, dir, flags...)
	r.decisions(r.jetStream(), uploads)
	require.NoError(t, r.signal(syscall.SIGTERM))
}
