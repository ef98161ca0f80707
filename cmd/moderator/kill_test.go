package main

import (
	"context"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"moderator/internal/event"
	"moderator/internal/synth"
)

// decodeWorkers returns the pids of the moderator's present decode workers.
func (r *running) decodeWorkers() (pids []int) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", r.cmd.Process.Pid))
	require.NoError(r.t, err)
	for _, file := range files {
		children, _ := os.ReadFile(file) // empty if the thread has ended
		for _, child := range strings.Fields(string(children)) {
			command, _ := os.ReadFile("/proc/" + child + "/cmdline")
			if pid, err := strconv.Atoi(child); err == nil && strings.Contains(string(command), "decode-worker") {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

func (r *running) signalDecodeWorkers(s syscall.Signal) {
	for _, pid := range r.decodeWorkers() {
		_ = syscall.Kill(pid, s) // it may have ended
	}
}

// someUploads publishes n uploads. Every second one is a copy of the flag of flagFirst.
func someUploads(t *testing.T, js jetstream.JetStream, n int) {
	t.Helper()
	pictures := []image.Image{synth.Draw(1, 1, 640, 480), synth.Draw(1, 0, 640, 480)}
	for i := range n {
		_, err := js.PublishAsync("uploads.test", encode(t, pictures[i%2], 50+i))
		require.NoError(t, err)
	}
	<-js.PublishAsyncComplete()
}

// flagFirst adds the flag that someUploads copies.
func (r *running) flagFirst() {
	_, err := r.flagctl("add", write(r.t, "flagged.jpg", encode(r.t, synth.Draw(1, 0, 640, 480), 90)))
	require.NoError(r.t, err)
}

// settled waits until n uploads of someUploads are decided and acknowledged, and checks their decisions.
func (r *running) settled(js jetstream.JetStream, n int) {
	r.t.Helper()
	decided := r.all(js, n)
	require.Eventually(r.t, func() bool { return pending(r.t, js) == 0 }, time.Minute, 10*time.Millisecond, "uploads are left")
	stream, err := js.Stream(r.t.Context(), "DECISIONS")
	require.NoError(r.t, err)
	require.EqualValues(r.t, n, stream.CachedInfo().State.Msgs, "each is decided once")
	for id, d := range decided {
		want := []any{event.Allow, event.NoMatch}
		if d.Upload.Sequence%2 == 0 {
			want = []any{event.Block, event.Match}
		}
		require.Equal(r.t, want, []any{d.Verdict, d.Reason}, "%s: %s", id, d.Detail)
	}
}

// pending returns the number of uploads that are not acknowledged.
func pending(t *testing.T, js jetstream.JetStream) int {
	durable, err := js.Consumer(t.Context(), "UPLOADS", "moderator")
	require.NoError(t, err)
	info := durable.CachedInfo()
	return int(info.NumPending) + info.NumAckPending
}

// Repeated crashes of decode workers cost no upload its decision. All uploads are decided between two crashes, because a
// file on which two workers die counts as the cause.
func TestDecodeWorkersCrash(t *testing.T) {
	t.Parallel()
	const uploads, crashes = 12, 6
	r := start(t, dataDir(t))
	r.flagFirst()
	js := r.jetStream()
	for crash := range crashes {
		someUploads(t, js, uploads)
		r.signalDecodeWorkers(syscall.SIGSEGV)
		r.settled(js, (crash+1)*uploads)
	}
	_, metrics := r.get("/metrics")
	require.Contains(t, metrics, "moderator_decode_worker_deaths_total ")
	require.NotContains(t, metrics, "moderator_decode_worker_deaths_total 0")
}

// Moderator and its servers are killed while uploads are in different stages. After a restart, each has one decision.
func TestKilledAtEachPoint(t *testing.T) {
	t.Parallel()
	const uploads = 12
	dir := dataDir(t)
	flags := []string{"--ack-wait", "4s", "--batch-budget", "3s", "--batch-size", "4"}
	r := start(t, dir, flags...)
	r.flagFirst()
	js := r.jetStream()
	sent := 0
	for _, point := range []struct {
		name  string
		until func(t *testing.T) // publishes uploads and returns when they are in that stage
	}{
		{"before they are decoded", func(t *testing.T) {
			workers := r.decodeWorkers()
			require.NotEmpty(t, workers)
			r.signalDecodeWorkers(syscall.SIGSTOP)
			t.Cleanup(func() {
				for _, pid := range workers {
					_ = syscall.Kill(pid, syscall.SIGKILL)
				}
			})
			someUploads(t, js, uploads)
			durable, err := js.Consumer(t.Context(), "UPLOADS", "moderator")
			require.NoError(t, err)
			require.Eventually(t, func() bool {
				info, err := durable.Info(t.Context())
				return err == nil && info.NumAckPending > 0
			}, time.Minute, 10*time.Millisecond)
		}},
		{"in the middle of a batch", func(t *testing.T) {
			holder, err := pgx.Connect(t.Context(), r.state.DatabaseURL)
			require.NoError(t, err)
			t.Cleanup(func() { _ = holder.Close(context.Background()) })
			lock, err := holder.Begin(t.Context())
			require.NoError(t, err)
			_, err = lock.Exec(t.Context(), "LOCK TABLE bank IN ACCESS EXCLUSIVE MODE")
			require.NoError(t, err)
			watcher, err := pgx.Connect(t.Context(), r.state.DatabaseURL)
			require.NoError(t, err)
			t.Cleanup(func() { _ = watcher.Close(context.Background()) })
			someUploads(t, js, uploads)
			require.Eventually(t, func() bool {
				var waiting int
				err := watcher.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'").Scan(&waiting)
				return err == nil && waiting > 0
			}, time.Minute, 10*time.Millisecond)
		}},
		{"after a decision is stored, before its upload is acknowledged", func(t *testing.T) {
			decided := make(chan *nats.Msg, uploads)
			_, err := js.Conn().ChanSubscribe("decisions.>", decided)
			require.NoError(t, err)
			require.NoError(t, js.Conn().Flush())
			someUploads(t, js, uploads)
			<-decided
		}},
		{"after all are acknowledged", func(t *testing.T) {
			someUploads(t, js, uploads)
			r.settled(js, sent+uploads)
		}},
	} {
		t.Run(point.name, func(t *testing.T) {
			point.until(t)
			require.Error(t, r.signal(syscall.SIGKILL))
		})
		sent += uploads
		r = start(t, dir, flags...)
		js = r.jetStream()
		r.settled(js, sent)
	}
}
