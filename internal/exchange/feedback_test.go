package exchange

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"moderator/internal/exchange/fake"
	"moderator/internal/matchdb"
)

// What reviewers decide is told once, after failures too, and only by an exchange that wants it.
func TestFeedback(t *testing.T) {
	for name, want := range map[string]func(r fake.Record) string{
		"ncmec": func(r fake.Record) string {
			return "4" + string(rune('0'+r.Index%3)) + "/image" + string(rune('0'+r.Index)) + "/PDQ"
		},
		"stopncii": func(r fake.Record) string { return r.PDQ },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, name, &fake.Source{Records: 5})
			t.Setenv(variable("x"), b.credentials+"\nfeedback-key: "+fake.FeedbackKey+"\nurl: "+b.web.URL)
			b.fetch()
			b.reviewed("1", "block", 1)
			b.fetch()
			require.Empty(t, b.source.Feedback(), "nobody asked for it")

			b.settings.Feedback, b.settings.FeedbackReason = true, "01234567-abcd-0123-4567-012345678900"
			b.replace(b.settings)
			b.fetch()
			b.reviewed("2", "block", 1)
			b.reviewed("3", "allow", 2)
			b.reviewed("4", "block", 1) // once a record
			b.reviewed("5", "block", 3)
			b.clock = b.clock.Add(time.Minute)
			b.source.Delete(3, b.clock) // withdrawn before it was told
			b.source.Status = 503
			_, err := b.fetcher.Fetch(t.Context(), "x", false)
			require.Error(t, err)
			b.source.Status = 0
			b.fetch()
			b.fetch()
			records := map[int]fake.Record{}
			b.source.Live(func(r fake.Record) { records[r.Index] = r })
			require.ElementsMatch(t, []string{"confirmed " + want(records[1]), "false positive " + want(records[2])}, b.source.Feedback())
		})
	}
}

// reviewed is a review of an upload that matched the PDQ hash of a record.
func (b *bench) reviewed(id, verdict string, index int) {
	b.Helper()
	var hash string
	b.source.Live(func(r fake.Record) {
		if r.Index == index {
			hash = r.PDQ
		}
	})
	var flag uuid.UUID
	for _, hits := range b.matches(hash) {
		flag = hits.FlaggedID
	}
	require.NotEqual(b, uuid.Nil, flag)
	err := b.db.AddReview(b.Context(), matchdb.Review{
		Decision: matchdb.NewDecisionKey(id, time.Now()), UploadID: id, Verdict: verdict, By: "bob", Flags: []uuid.UUID{flag},
	}, "", func() error { return nil })
	require.NoError(b, err)
	err = b.db.AddReview(b.Context(), matchdb.Review{Decision: matchdb.NewDecisionKey(id+"x", time.Now()), UploadID: id, Verdict: "block", By: "bob", Flags: []uuid.UUID{flag}},
		"", func() error { return errors.New("not published") })
	require.ErrorContains(b, err, "not published", "which leaves no feedback")
	// Another review, which is taken back, and one that judges the upload again leave no feedback either.
	opposite := map[string]string{"block": "allow", "allow": "block"}[verdict]
	slip := matchdb.Review{Decision: matchdb.NewDecisionKey(id+"y", time.Now()), UploadID: id, Verdict: opposite, By: "bob", Flags: []uuid.UUID{flag}}
	require.NoError(b, b.db.AddReview(b.Context(), slip, "", func() error { return nil }))
	require.NoError(b, b.db.TakeBack(b.Context(), slip, "", func() error { return nil }))
	slip.Decision.ID, slip.Verdict = id+"z", "again"
	require.NoError(b, b.db.AddReview(b.Context(), slip, "", func() error { return nil }))
}

func (b *bench) matches(digits string) []matchdb.HashHit {
	b.Helper()
	f, fault := flagOf("pdq", strings.ToLower(digits))
	require.Empty(b, fault)
	hits, err := b.db.MatchHashes(b.Context(), []matchdb.HashQuery{{PDQ: []matchdb.PDQ{{Hash: f.PDQ[0].Hash, Quality: 100}}, Bits: 1}})
	require.NoError(b, err)
	return hits[0]
}
