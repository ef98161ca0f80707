package main

import (
	"context"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"moderator/internal/synth"
	"moderator/internal/testenv"
)

// If the disk of the embedded NATS server is full, moderator exits with an error. After a restart with free space, it
// decides each stored upload once.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	disk := filepath.Join(dir, "nats")
	fill, free := testenv.Disk(t, disk, 64<<20)
	flags := []string{"--drain-time", "2s"}
	r := start(t, dir, flags...)
	js := r.jetStream()
	picture := func(i int) []byte { return encode(t, synth.Draw(2, i%10, 320, 240), 50+i%40) }
	stored := 0
	for ; stored < 100; stored++ {
		_, err := js.PublishAsync("uploads.test", picture(stored))
		require.NoError(t, err)
	}
	<-js.PublishAsyncComplete()
	fill() // while most uploads wait
	running, ended := context.WithCancel(t.Context())
	exit := make(chan error, 1)
	go func() {
		exit <- r.end()
		ended() // the server that does not store an upload does not answer either
	}()
	for answered := true; answered; {
		ctx, cancel := context.WithTimeout(running, time.Minute)
		_, err := js.Publish(ctx, "uploads.test", picture(stored))
		cancel()
		if answered = err == nil; answered {
			stored++
		}
	}
	require.Error(t, <-exit, "it exits by itself")
	require.Regexp(t, "moderator: the embedded NATS server: it cannot store any more in "+disk+": .*no space left on device: make room", r.printed.String())

	free()
	r = start(t, dir, flags...)
	r.decisions(r.jetStream(), stored)
	require.NoError(t, r.signal(syscall.SIGTERM))
}
