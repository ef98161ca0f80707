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

// When the disk of the embedded NATS server is full, moderator ends and says so; started again with room on the disk, it
// decides once each upload that was stored.
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
	fill() // while most of them wait
	for answered := true; answered; {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		_, err := js.Publish(ctx, "uploads.test", picture(stored))
		cancel()
		if answered = err == nil; answered {
			stored++
		}
	}
	require.Error(t, r.end(), "it ends by itself")
	require.Regexp(t, "moderator: the embedded NATS server: it can store nothing more in "+disk+": .*no space left on device: make room", r.printed.String())

	free()
	r = start(t, dir, flags...)
	r.decisions(r.jetStream(), stored)
	require.NoError(t, r.signal(syscall.SIGTERM))
}
