package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"moderator/internal/event"
	"moderator/internal/synth"
)

// A request over HTTP or NATS gets the verdict of an upload in the stream, also among ten others.
func TestJudgeAtOnce(t *testing.T) {
	t.Parallel()
	r := start(t, dataDir(t))
	js := r.jetStream()
	flagged := filepath.Join(t.TempDir(), "flagged.jpg")
	require.NoError(t, os.WriteFile(flagged, encode(t, synth.Draw(1, 0, 640, 480), 90), 0o644))
	_, err := r.flagctl("add", flagged)
	require.NoError(t, err)
	copied, other := encode(t, synth.Draw(1, 0, 640, 480), 50), encode(t, synth.Draw(1, 1, 640, 480), 50)

	post := func(query string, data []byte) (d event.Decision) {
		response, err := http.Post(r.state.HTTPURL+"/v1/judge"+query, "image/jpeg", bytes.NewReader(data))
		if err != nil {
			t.Error(err)
			return d
		}
		defer response.Body.Close()
		if err := json.NewDecoder(response.Body).Decode(&d); err != nil || response.StatusCode != http.StatusOK {
			t.Error(response.Status, err)
		}
		return d
	}
	dry := post("?publish=false", copied)
	require.Equal(t, event.Block, dry.Verdict)
	require.Equal(t, "default", dry.Match.Bank)
	require.Equal(t, 640, dry.Upload.Width)

	answer, err := js.Conn().Request("moderator.judge", other, time.Minute)
	require.NoError(t, err)
	var d event.Decision
	require.NoError(t, json.Unmarshal(answer.Data, &d), "%v %s", answer.Header, answer.Data)
	require.Equal(t, event.Allow, d.Verdict)
	info, err := js.Conn().Request("$SRV.INFO.moderator", nil, time.Minute)
	require.NoError(t, err)
	require.Contains(t, string(info.Data), `"subject":"moderator.judge"`)

	var callers sync.WaitGroup
	for range 10 {
		callers.Go(func() {
			if d := post("", copied); d.Verdict != event.Block {
				t.Error(d.Verdict, d.Reason, d.Detail)
			}
		})
	}
	_, err = js.PublishMsg(t.Context(), &nats.Msg{Subject: "uploads.test", Data: copied})
	require.NoError(t, err)
	callers.Wait()
	verdicts := r.decisions(js, 12) // ten, the one over NATS, and the stream's; the dry run is not published
	require.Equal(t, "block", verdicts["UPLOADS:1"])
	require.NoError(t, r.signal(syscall.SIGTERM))
}
