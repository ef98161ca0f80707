package main

import (
	"encoding/json"
	"fmt"
	"image"
	"image/draw"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"moderator/internal/event"
	"moderator/internal/synth"
	"moderator/internal/transforms"
)

// all waits for n decisions and returns them by id, with "<stream>:<sequence>" in the place of the upload's key.
func (r *running) all(js jetstream.JetStream, n int) map[string]event.Decision {
	r.t.Helper()
	stream := r.decided(js, n, 30*time.Minute)
	found := map[string]event.Decision{}
	for i := 1; i <= n; i++ {
		msg, err := stream.GetMsg(r.t.Context(), uint64(i))
		require.NoError(r.t, err)
		e, err := event.DecodeDecision(msg.Data)
		require.NoError(r.t, err)
		u := e.Data.Upload
		require.False(r.t, u.Stored.IsZero())
		id := strings.Replace(e.ID, u.Key(), fmt.Sprintf("%s:%d", u.Stream, u.Sequence), 1)
		require.NotContains(r.t, found, id)
		found[id] = e.Data
	}
	return found
}

func publish(t *testing.T, js jetstream.JetStream, data []byte, headers ...string) {
	t.Helper()
	msg := nats.NewMsg("uploads.test")
	msg.Data = data
	for i := 0; i < len(headers); i += 2 {
		msg.Header.Set(headers[i], headers[i+1])
	}
	_, err := js.PublishMsg(t.Context(), msg)
	require.NoError(t, err)
}

func write(t *testing.T, name string, data []byte) string {
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, data, 0o644))
	return path
}

// A picture that was blocked by a flag is put on the allow-list by its decision's id. Further copies are allowed.
func TestAllowList(t *testing.T) {
	t.Parallel()
	r := start(t, dataDir(t))
	js := r.jetStream()
	picture := rgba(synth.Draw(1, 3, 640, 480))
	all := transforms.Quality()
	cropped, err := all[slices.IndexFunc(all, func(e transforms.Edit) bool { return e.Name == "crop-95" })].Picture(picture, nil, 1)
	require.NoError(t, err)
	flagged, innocent := encode(t, picture, 90), encode(t, cropped, 90)
	_, err = r.flagctl("add", write(t, "flagged.jpg", flagged))
	require.NoError(t, err)

	publish(t, js, innocent)
	store, err := js.CreateObjectStore(t.Context(), jetstream.ObjectStoreConfig{Bucket: "pictures"})
	require.NoError(t, err)
	_, err = store.PutBytes(t.Context(), "innocent.jpg", innocent)
	require.NoError(t, err)
	publish(t, js, []byte(`{"id": "photo-1", "object": {"bucket": "pictures", "name": "innocent.jpg"}}`), "Content-Type", "application/json")
	publish(t, js, encode(t, synth.Draw(1, 4, 640, 480), 90))
	publish(t, js, encode(t, image.NewGray(image.Rect(0, 0, 320, 240)), 90))
	decided := r.all(js, 4)
	require.Equal(t, event.Block, decided["UPLOADS:1"].Verdict)
	require.Equal(t, event.Block, decided["UPLOADS:2"].Verdict)
	require.Equal(t, []any{event.Allow, event.LowDetail}, []any{decided["UPLOADS:4"].Verdict, decided["UPLOADS:4"].Reason})

	for id, want := range map[string]string{
		"UPLOADS:1": "cannot be fetched: the message contained it, and UPLOADS drops a message once it is decided: give its file instead",
		"UPLOADS:3": "DECISIONS has no decision of this id that blocks or reviews",
		"UPLOADS:9": "DECISIONS has no decision of this id that blocks or reviews",
	} {
		_, err = r.flagctl("allow", "add", "--decision", id)
		require.ErrorContains(t, err, want)
	}
	out, err := r.flagctl("allow", "add", "--decision", "photo-1", "--note", "own work")
	require.NoError(t, err)
	var allowed []struct{ ID string }
	require.NoError(t, json.Unmarshal([]byte(out), &allowed))

	publish(t, js, innocent)
	publish(t, js, encode(t, cropped, 60))
	publish(t, js, flagged)
	decided = r.all(js, 7)
	for _, id := range []string{"UPLOADS:5", "UPLOADS:6"} {
		d := decided[id]
		require.Equal(t, []any{event.Allow, event.AllowListed}, []any{d.Verdict, d.Reason}, id)
		require.Equal(t, allowed[0].ID, d.Allowed.AllowedID)
		require.NotEmpty(t, d.Match.FlaggedID)
		require.Greater(t, d.Allowed.Score, *d.Score)
	}
	require.Equal(t, []any{event.Block, event.SignalExact}, []any{decided["UPLOADS:7"].Verdict, decided["UPLOADS:7"].Signal})

	_, err = store.PutBytes(t.Context(), "innocent.jpg", flagged)
	require.NoError(t, err)
	_, err = r.flagctl("allow", "add", "--decision", "photo-1")
	require.ErrorContains(t, err, "has changed: its SHA-256 is")
}

// A look-back decides past uploads as if they were sent again. With MODERATOR_LONG_TESTS there are 10,000.
func TestLookback(t *testing.T) {
	t.Parallel()
	uploads, flags := 90, 3
	if os.Getenv("MODERATOR_LONG_TESTS") != "" {
		uploads, flags = 10_000, 100
	}
	// Keypoints are found in the picture, which is not kept.
	r := start(t, dataDir(t), "--lookback", "30d", "--candidates", "0")
	js := r.jetStream()
	all := transforms.Quality()
	pictures := uploads / 9
	files := make([][]byte, uploads)
	var drawing errgroup.Group
	drawing.SetLimit(runtime.GOMAXPROCS(0))
	for i := range files {
		drawing.Go(func() (err error) {
			p, other := rgba(synth.Draw(3, i%pictures, 320, 240)), rgba(synth.Draw(4, i%pictures, 320, 240))
			files[i], err = all[(i/pictures*4+i)%len(all)].Apply(p, other, uint64(i))
			return err
		})
	}
	require.NoError(t, drawing.Wait())
	send := func() {
		for _, data := range files {
			publish(t, js, data)
		}
	}
	send()
	r.all(js, uploads)
	db, err := pgx.Connect(t.Context(), r.state.DatabaseURL)
	require.NoError(t, err)
	defer func() { _ = db.Close(t.Context()) }()
	require.Eventually(t, func() bool {
		var n int
		require.NoError(t, db.QueryRow(t.Context(), "SELECT count(*) FROM recent_upload").Scan(&n))
		return n == uploads
	}, time.Minute, 50*time.Millisecond, "features of uploads are stored soon after their decisions")

	args := []string{"add", "--lookback"}
	for i := range flags {
		args = append(args, write(t, fmt.Sprint(i, ".jpg"), encode(t, synth.Draw(3, i, 320, 240), 95)))
	}
	began := time.Now()
	out, err := r.flagctl(args...)
	require.NoError(t, err)
	t.Logf("%d flags added and matched against %d uploads in %v", flags, uploads, time.Since(began))
	stream, err := js.Stream(t.Context(), "DECISIONS")
	require.NoError(t, err)
	count := func() int {
		info, err := stream.Info(t.Context())
		require.NoError(t, err)
		return int(info.State.Msgs)
	}
	found := count() - uploads
	var added []struct{ ID string }
	require.NoError(t, json.Unmarshal([]byte(out), &added))
	// Also after the dedupe window.
	cfg := stream.CachedInfo().Config
	cfg.Duplicates = 100 * time.Millisecond
	stream, err = js.UpdateStream(t.Context(), cfg)
	require.NoError(t, err)
	last, err := stream.GetLastMsgForSubject(t.Context(), "decisions.block")
	require.NoError(t, err)
	lookback := last.Header.Get(jetstream.MsgIDHeader)
	require.Eventually(t, func() bool { // never stored: either the id is known, or the expected sequence is wrong
		_, err := js.Publish(t.Context(), "decisions.block", nil, jetstream.WithMsgID(lookback), jetstream.WithExpectLastSequence(1))
		return err != nil
	}, time.Minute, 50*time.Millisecond)
	again, err := r.flagctl("lookback", added[0].ID, added[1].ID)
	require.NoError(t, err)
	require.Equal(t, "[]\n", again)
	require.Equal(t, uploads+found, count(), "once each")
	send()
	decided := r.all(js, 2*uploads+found)

	wanted, seen := 0, map[string]bool{}
	past := map[string]map[string]event.Decision{} // upload → flag → decision
	for id, d := range decided {
		if d.Reason == event.Lookback {
			key := fmt.Sprintf("%s:%d", d.Upload.Stream, d.Upload.Sequence)
			require.Equal(t, key+":lookback:"+d.Match.FlaggedID, id)
			if past[key] == nil {
				past[key] = map[string]event.Decision{}
			}
			past[key][d.Match.FlaggedID] = d
		}
	}
	for i := range uploads {
		then := past[fmt.Sprintf("UPLOADS:%d", i+1)]
		now := decided[fmt.Sprintf("UPLOADS:%d", uploads+i+1)]
		if now.Reason != event.Match {
			require.Empty(t, then, "upload %d is %s/%s", i, now.Verdict, now.Reason)
			continue
		}
		wanted++
		d, ok := then[now.Match.FlaggedID]
		require.True(t, ok, "upload %d matches now, and the look-back did not find it", i)
		require.Equal(t, []any{now.Verdict, now.Signal, *now.Score, now.Match, now.Upload.SHA256},
			[]any{d.Verdict, d.Signal, *d.Score, d.Match, d.Upload.SHA256}, "upload %d", i)
		seen[now.Match.FlaggedID] = true
	}
	require.Len(t, past, wanted)
	require.Len(t, seen, flags)
	t.Logf("%d past uploads found, of %d", wanted, uploads)
}

func rgba(p image.Image) *image.RGBA {
	out := image.NewRGBA(p.Bounds())
	draw.Draw(out, out.Rect, p, p.Bounds().Min, draw.Src)
	return out
}
