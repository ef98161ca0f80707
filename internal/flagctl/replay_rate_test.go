package flagctl

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"moderator/internal/event"
	"moderator/internal/matchdb"
	"moderator/internal/testenv"
)

// What evidence decided is decided again by another rate: in a small library 1e-4 blocks from a probability of 0.40 on, 1e-6 from 0.991.
func TestReplayOfAnotherRate(t *testing.T) {
	database, url := testenv.Postgres(t), testenv.NATS(t)
	require.NoError(t, migrate(t.Context(), database))
	db, err := matchdb.Open(t.Context(), database)
	require.NoError(t, err)
	defer db.Close()
	for _, bank := range []string{"trial", "watch"} {
		require.NoError(t, db.AddBank(t.Context(), bank, "mo", ""))
	}
	require.NoError(t, Run(t.Context(), []string{"--database-url", database, "bank", "set", "watch", "--review-only", "on"}, t.Output(), t.Output()))
	nc, err := nats.Connect(url)
	require.NoError(t, err)
	defer nc.Close()
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	run := func(args ...string) (replayJSON, string) {
		var out, summary bytes.Buffer
		args = append([]string{"--database-url", database, "--nats-url", url, "replay", "-o", "json"}, args...)
		require.NoError(t, Run(t.Context(), args, &out, &summary))
		var got replayJSON
		require.NoError(t, json.Unmarshal(out.Bytes(), &got))
		return got, summary.String()
	}
	_, err = js.CreateStream(t.Context(), jetstream.StreamConfig{Name: event.DecisionsStream, Subjects: []string{event.DecisionsSubject}})
	require.NoError(t, err)
	_, text := run("--false-blocks", "1e-6")
	require.Contains(t, text, "0 uploads kept since ")

	match := func(bank string, probability float64, bits int) event.MatchInfo {
		return event.MatchInfo{FlaggedID: "flag of " + bank, Bank: bank, Probability: &probability, Evidence: event.EvidenceInfo{PDQ: bits}}
	}
	quarantined := match("default", 0.84, -1)
	quarantined.Quarantined = true
	for i, d := range []event.Decision{
		{Verdict: event.Block, Matches: []event.MatchInfo{match("default", 0.96, -1)}, Upload: event.UploadInfo{ID: "likely"}},
		{Verdict: event.Block, Matches: []event.MatchInfo{match("default", 0.9989, -1)}, Upload: event.UploadInfo{ID: "very likely"}},
		{Verdict: event.Block, Matches: []event.MatchInfo{match("default", 0.9999, -1)}, Upload: event.UploadInfo{ID: "certain"}},
		{Verdict: event.Block, Matches: []event.MatchInfo{match("default", 0.96, 10)}, Upload: event.UploadInfo{ID: "same hash"}},
		{Verdict: event.Block, Matches: []event.MatchInfo{{FlaggedID: "a file", Bank: "default"}}, Upload: event.UploadInfo{ID: "same file"}},
		{Verdict: event.Review, Matches: []event.MatchInfo{match("default", 0.84, -1)}, Upload: event.UploadInfo{ID: "unlikely"}},
		{Verdict: event.Review, Matches: []event.MatchInfo{quarantined}, Upload: event.UploadInfo{ID: "in quarantine"}},
		{Verdict: event.Review, Matches: []event.MatchInfo{match("watch", 0.9999, -1)}, Upload: event.UploadInfo{ID: "watched"}},
		{Verdict: event.Allow, Shadow: []event.ShadowInfo{{Verdict: event.Block, Signal: event.SignalPDQ, MatchInfo: match("trial", 0.9999, -1)}}, Upload: event.UploadInfo{ID: "in shadow"}},
		{Verdict: event.Block, Reason: event.Reviewed, Matches: []event.MatchInfo{match("default", 0.84, -1)}, Upload: event.UploadInfo{ID: "unlikely"}},
		{Verdict: event.Review, Reason: event.TooLarge, Upload: event.UploadInfo{ID: "too large"}},
	} {
		score := 0.7
		d.Upload.Stream, d.Upload.Sequence, d.Score = "UPLOADS", uint64(i+1), &score
		if len(d.Matches) > 0 {
			d.Match = &d.Matches[0]
		}
		if d.Reason == "" {
			d.Reason = map[bool]event.Reason{true: event.Match, false: event.NoMatch}[d.Match != nil]
		}
		id, data, err := d.Encode(time.Now())
		require.NoError(t, err)
		_, err = js.Publish(t.Context(), event.DecisionSubject(d.Verdict), data, jetstream.WithMsgID(id))
		require.NoError(t, err)
	}
	got, text := run("--false-blocks", "1e-6")
	require.Equal(t, []string{"likely: block → allow", "very likely: block → review", "same hash: block → review", "unlikely: review → allow", "in quarantine: review → allow"}, changed(got))
	require.Equal(t, 10, got.Uploads, "a review is no upload")
	require.Contains(t, text, "5 would be decided differently")
	got, _ = run("--false-blocks", "1e-2")
	require.Equal(t, []string{"unlikely: review → block"}, changed(got))
	got, _ = run("--false-blocks", "1e-4")
	require.Empty(t, changed(got), "the rate of these decisions")
	got, _ = run("--false-blocks", "1e-6", "--bank", "trial")
	require.Equal(t, []string{"in shadow: allow → block"}, changed(got))
	require.Equal(t, event.SignalPDQ, got.Differences[0].Then.Signal)

	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--false-blocks", "2"}, "wanted more than 0 and at most 1"},
		{[]string{"--false-blocks", "1e-3", "--block-at", "0.6"}, "leave --block-at, --review-at and --pdq-distance out"},
		{[]string{"--false-blocks", "1e-3", "--bank", "nowhere"}, `unknown bank "nowhere"`},
	} {
		args := append([]string{"--database-url", database, "--nats-url", url, "replay"}, test.args...)
		require.ErrorContains(t, Run(t.Context(), args, t.Output(), t.Output()), test.want)
	}
}
