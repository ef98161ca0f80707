package flagctl

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"moderator/internal/config"
	"moderator/internal/event"
	"moderator/internal/matchdb"
	"moderator/internal/recognise"
	"moderator/internal/testenv"
)

// statsOf returns the output of stats on a library with four flags, as JSON and as a table.
type statsOf struct {
	t             *testing.T
	db            *matchdb.DB
	database, url string
	flags         []string
}

func newStats(t *testing.T) *statsOf {
	s := &statsOf{t: t, database: testenv.Postgres(t), url: testenv.NATS(t)}
	require.NoError(t, migrate(t.Context(), s.database))
	var err error
	s.db, err = matchdb.Open(t.Context(), s.database)
	require.NoError(t, err)
	t.Cleanup(s.db.Close)
	folder, err := recognise.Folder(config.Model{})
	require.NoError(t, err)
	for _, name := range []string{"own", "past", "person", "never"} {
		flag, err := s.db.Flag(t.Context(), matchdb.NewFlag{
			Bank: "default", SHA256: sha256Hex([]byte(name)), Source: name, By: "mo", Model: folder.Fingerprint(),
		})
		require.NoError(t, err)
		s.flags = append(s.flags, flag.ID.String())
	}
	return s
}

func (s *statsOf) run() (counted, string) {
	var value, table bytes.Buffer
	args := []string{"--database-url", s.database, "--nats-url", s.url, "stats", "--unmatched", "9"}
	require.NoError(s.t, Run(s.t.Context(), append(args, "-o", "json"), &value, s.t.Output()))
	require.NoError(s.t, Run(s.t.Context(), args, &table, s.t.Output()))
	var got counted
	require.NoError(s.t, json.Unmarshal(value.Bytes(), &got))
	return got, table.String()
}

// An upload counts once, also if later decisions are published on it; flags that these match count as matched.
func TestStatsCountUploadsOnce(t *testing.T) {
	s := newStats(t)
	nc, err := nats.Connect(s.url)
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	_, err = js.CreateStream(t.Context(), jetstream.StreamConfig{Name: event.DecisionsStream, Subjects: []string{"decisions.>"}})
	require.NoError(t, err)
	decide := func(sequence uint64, verdict event.Verdict, reason event.Reason, flags ...string) event.Decision {
		d := event.Decision{Verdict: verdict, Reason: reason, Upload: event.UploadInfo{Stream: "UPLOADS", Sequence: sequence}}
		for _, id := range flags {
			d.Matches = append(d.Matches, event.MatchInfo{FlaggedID: id, Bank: "default"})
			d.Match = &d.Matches[0]
		}
		return d
	}
	publish := func(d event.Decision) {
		id, data, err := d.Encode(time.Now())
		require.NoError(t, err)
		_, err = js.Publish(t.Context(), event.DecisionSubject(d.Verdict), data, jetstream.WithMsgID(id))
		require.NoError(t, err)
	}
	review := func(d event.Decision, verdict event.Verdict) {
		id, _, err := d.Encode(time.Now())
		require.NoError(t, err)
		next := d
		next.Verdict, next.Reason, next.Review = verdict, event.Reviewed, &event.ReviewInfo{By: "mo", Of: id, Reason: d.Reason}
		r := matchdb.Review{Decision: matchdb.NewDecisionKey(id, time.Now()), UploadID: id, Verdict: string(verdict), By: "mo"}
		require.NoError(t, s.db.AddReview(t.Context(), r, "", func() error { publish(next); return nil }))
	}
	for sequence := range uint64(3) {
		publish(decide(sequence, event.Allow, event.NoMatch))
	}
	publish(decide(3, event.Block, event.Match, s.flags[0]))
	publish(decide(0, event.Block, event.Lookback, s.flags[1]))
	again := decide(1, event.Review, event.Lookback, s.flags[1])
	publish(again)
	review(again, event.Block)
	doubtful := decide(4, event.Review, event.Match, s.flags[2])
	publish(doubtful)
	review(doubtful, event.Allow)
	damaged := decide(5, event.Review, event.Undecodable)
	publish(damaged)
	review(damaged, event.Block)

	got, table := s.run()
	require.Equal(t, []uint64{3, 1, 2}, []uint64{got.Uploads.Allowed, got.Uploads.Blocked, got.Uploads.Reviewed})
	bank := got.Banks[0]
	require.Equal(t, []int{1, 1, 1}, []int{*bank.Blocked, *bank.Reviewed, *bank.Unmatched})
	require.Len(t, got.Unmatched, 1)
	require.Equal(t, s.flags[3], got.Unmatched[0].ID)
	require.Regexp(t, `(?m)^BANK .* BLOCKED +REVIEWED +NOT MATCHED SINCE$`, table)
	require.Regexp(t, `uploads since .*: 3 allowed, 1 blocked, 2 to review`, table)
	require.Regexp(t, `(?m)^NOT MATCHED SINCE +BANK`, table)
}

// Without a stream of decisions, the columns of uploads are empty.
func TestStatsWithoutDecisions(t *testing.T) {
	s := newStats(t)
	got, table := s.run()
	require.Nil(t, got.Uploads)
	require.Nil(t, got.Unmatched)
	require.Equal(t, bankCounted{Bank: "default", Enabled: true, Flags: 4, LastDay: 4, LastWeek: 4}, got.Banks[0])
	require.Regexp(t, `(?m)^default +enabled +4 +0 +4 +4 +- +- +-$`, table)
	require.Contains(t, table, "no decisions to count")
	for _, id := range s.flags {
		require.NotContains(t, table, id)
	}
}
