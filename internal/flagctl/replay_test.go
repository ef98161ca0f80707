package flagctl

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"moderator/internal/config"
	"moderator/internal/event"
	"moderator/internal/matchdb"
	"moderator/internal/recognise"
	"moderator/internal/testenv"
)

// replays is a library with the flags "a" in the bank default and "b" in the disabled bank trial, and kept uploads that are near
// to them.
type replays struct {
	t        *testing.T
	database string
}

func newReplays(t *testing.T) *replays {
	url := testenv.Postgres(t)
	require.NoError(t, migrate(t.Context(), url))
	db, err := matchdb.Open(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(db.Close)
	folder, err := recognise.Folder(config.Model{})
	require.NoError(t, err)
	model := folder.Fingerprint()
	// at is a vector whose inner product with axis i is cosine.
	at := func(i int, cosine float64) []float32 {
		v := make([]float32, folder.Dims())
		v[i], v[9] = float32(cosine), float32(math.Sqrt(1-cosine*cosine))
		return v
	}
	require.NoError(t, db.AddBank(t.Context(), "trial", "mo", ""))
	for i, bank := range []string{"default", "trial"} {
		name := string(rune('a' + i))
		_, err := db.Flag(t.Context(), matchdb.NewFlag{
			Bank: bank, SHA256: sha256Hex([]byte(name)), Source: name, By: "mo", Model: model,
			Embeddings: []matchdb.Embedding{{View: "original", Vector: at(i, 1)}},
		})
		require.NoError(t, err)
	}
	require.NoError(t, db.DisableBank(t.Context(), "trial", "mo", ""))
	review := 0.5
	require.NoError(t, db.SetBank(t.Context(), "default", model, matchdb.Thresholds{BlockAt: 0.8, ReviewAt: &review}, "mo", ""))
	require.NoError(t, db.SetBank(t.Context(), "trial", model, matchdb.Thresholds{BlockAt: 0.8, ReviewAt: &review}, "mo", ""))
	require.NoError(t, db.PrepareRecent(t.Context(), 1))
	var uploads []matchdb.RecentUpload
	keep := func(id string, age time.Duration, vector []float32) {
		u := event.UploadInfo{ID: id, Stream: "UPLOADS", Sequence: uint64(len(uploads) + 1), Stored: time.Now().Add(-age)}
		info, err := json.Marshal(u)
		require.NoError(t, err)
		kept := matchdb.RecentUpload{Stream: u.Stream, Sequence: u.Sequence, Stored: u.StoredNanos(), SHA256: sha256Hex([]byte(id)), Upload: info}
		if vector != nil {
			kept.Views = []matchdb.RecentView{{Query: matchdb.Query{Vector: vector}}}
		}
		uploads = append(uploads, kept)
	}
	keep("blocked", 0, at(0, 0.9))
	keep("reviewed", 0, at(0, 0.7))
	keep("far", 0, at(0, 0.4))
	keep("of the trial", 0, at(1, 0.9))
	keep("b", 0, nil) // the flag's own file
	keep("old", 36*time.Hour, at(0, 0.7))
	require.NoError(t, db.KeepRecent(t.Context(), model, uploads))
	return &replays{t, url}
}

func (r *replays) run(args ...string) (replayJSON, string) {
	var value, table, summary bytes.Buffer
	args = append([]string{"--database-url", r.database, "replay"}, args...)
	require.NoError(r.t, Run(r.t.Context(), append(args, "-o", "json"), &value, r.t.Output()))
	require.NoError(r.t, Run(r.t.Context(), args, &table, &summary))
	var got replayJSON
	require.NoError(r.t, json.Unmarshal(value.Bytes(), &got))
	return got, table.String() + summary.String()
}

// changed are "upload: now → then".
func changed(r replayJSON) (all []string) {
	for _, d := range r.Differences {
		all = append(all, fmt.Sprintf("%s: %s → %s", d.Now.Upload.ID, d.Now.Verdict, d.Then.Verdict))
	}
	return all
}

func TestReplay(t *testing.T) {
	r := newReplays(t)
	got, text := r.run("--block-at", "0.6")
	require.Equal(t, []string{"reviewed: review → block"}, changed(got))
	require.Equal(t, []int{5, 1}, []int{got.Uploads, got.Different})
	require.Regexp(t, `(?m)^review +block +reviewed +embedding +0\.70\d\d +default +[0-9a-f-]{36}$`, text)
	require.Contains(t, text, "5 uploads kept since ")
	require.Contains(t, text, "1 would be decided differently (review → block: 1)")

	got, _ = r.run("--block-at", "0.95", "--review-at", "0.3", "--since", "2d")
	require.Equal(t, []string{"blocked: block → review", "far: allow → review"}, changed(got))
	require.Equal(t, 6, got.Uploads)

	got, _ = r.run("--bank", "trial")
	require.Equal(t, []string{"of the trial: allow → block", "b: allow → block"}, changed(got))
	require.Equal(t, event.SignalExact, got.Differences[1].Then.Signal)
	require.Equal(t, []replayChange{{Now: event.Allow, Then: event.Block, Uploads: 2}}, got.Changes)

	got, _ = r.run("--bank", "trial", "--block-at", "0.95", "--limit", "1")
	require.Equal(t, []string{"b: allow → block"}, changed(got), "the file blocks whatever the score; default keeps its thresholds")

	got, text = r.run("--block-at", "0.8", "--review-at", "0.5")
	require.Empty(t, got.Differences, "these are the bank's thresholds")
	require.Contains(t, text, "0 would be decided differently")
}

// A bank in shadow is tried as a disabled one is.
func TestReplayOfABankInShadow(t *testing.T) {
	r := newReplays(t)
	for _, args := range [][]string{{"enable", "trial"}, {"set", "trial", "--shadow", "on"}} {
		require.NoError(t, Run(t.Context(), append([]string{"--database-url", r.database, "bank"}, args...), t.Output(), t.Output()))
	}
	got, _ := r.run("--bank", "trial", "--pdq-distance", "5")
	require.Equal(t, []string{"of the trial: allow → block", "b: allow → block"}, changed(got))
	require.Equal(t, "trial", got.Differences[0].Now.Shadow[0].Bank)
}

func TestReplayHasSomethingToTry(t *testing.T) {
	r := newReplays(t)
	for _, test := range []struct {
		args []string
		want string
	}{
		{nil, "nothing to try"},
		{[]string{"--review-at", "0.3"}, "--review-at needs --block-at"},
		{[]string{"--bank", "nowhere"}, `unknown bank "nowhere"`},
		{[]string{"--block-at", "0.3", "--review-at", "0.4"}, "at most the block score"},
	} {
		err := Run(t.Context(), append([]string{"--database-url", r.database, "replay"}, test.args...), t.Output(), t.Output())
		require.ErrorContains(t, err, test.want)
	}
}
