package exchange

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"moderator/internal/event"
	"moderator/internal/exchange/fake"
	"moderator/internal/matchdb"
)

// What reviewers decide is told once, after failures too, and only by an exchange that wants it.
func TestFeedback(t *testing.T) {
	for name, want := range map[string]func(r fake.Record) string{
		"ncmec": func(r fake.Record) string {
			return "4" + string(rune('0'+r.Index%3)) + "/image" + string(rune('0'+r.Index)) + "/PDQ"
		},
		"stopncii":       func(r fake.Record) string { return r.PDQ },
		"threatexchange": fake.Record.Descriptor,
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, name, &fake.Source{Records: 9})
			t.Setenv(variable("x"), b.credentials+"\nfeedback-key: "+fake.FeedbackKey+"\nurl: "+b.web.URL)
			b.fetch()
			b.reviewed("1", "block", 2)
			b.fetch()
			require.Empty(t, b.source.Feedback(), "nobody asked for it")

			b.settings.Feedback, b.settings.FeedbackReason = true, "01234567-abcd-0123-4567-012345678900"
			b.replace(b.settings)
			b.fetch()
			b.reviewed("2", "block", 2)
			b.reviewed("3", "allow", 4)
			b.reviewed("4", "block", 2) // once a record
			b.reviewed("5", "block", 6)
			b.clock = b.clock.Add(time.Minute)
			b.source.Delete(6, b.clock) // withdrawn before it was told
			b.source.Status = 503
			_, err := b.fetcher.Fetch(t.Context(), "x", false)
			require.Error(t, err)
			b.source.Status = 0
			b.fetch()
			b.fetch()
			records := map[int]fake.Record{}
			b.source.Live(func(r fake.Record) { records[r.Index] = r })
			require.ElementsMatch(t, []string{"confirmed " + want(records[2]), "false positive " + want(records[4])}, b.source.Feedback())
		})
	}
}

// What uploads match is told before anybody reviews it, once and only by an exchange that wants it; not after a review.
func TestSeen(t *testing.T) {
	for name, want := range map[string]func(r fake.Record) string{
		"stopncii": func(r fake.Record) string { return r.PDQ }, "threatexchange": fake.Record.Descriptor,
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, name, &fake.Source{Records: 9})
			t.Setenv(variable("x"), b.credentials+"\nfeedback-key: "+fake.FeedbackKey+"\nurl: "+b.web.URL)
			b.fetch()
			b.matched(2)
			b.settings.Feedback, b.settings.FeedbackSeen = true, true
			b.replace(b.settings)
			b.fetch()
			require.Empty(t, b.source.Feedback(), "nobody asked for it")

			b.matched(2, 4, 2)
			b.fetch()
			b.reviewed("1", "block", 2)
			b.reviewed("2", "allow", 6)
			b.matched(4, 6)
			b.fetch()
			var all []string
			for i, opinion := range map[int]string{2: "seen", 4: "seen", 6: "false positive"} {
				b.source.Live(func(r fake.Record) {
					if r.Index == i {
						all = append(all, opinion+" "+want(r))
					}
					if r.Index == i && i == 2 {
						all = append(all, "confirmed "+want(r))
					}
				})
			}
			require.ElementsMatch(t, all, b.source.Feedback())
		})
	}
}

// matched is a decision for each record whose PDQ hash an upload matches.
func (b *bench) matched(indexes ...int) {
	b.Helper()
	seen := StartSeen(b.Context(), b.db, slog.New(slog.NewTextHandler(b.Output(), nil)))
	for _, i := range indexes {
		match := event.MatchInfo{FlaggedID: b.flagOf(i).String()}
		seen.ObserveMatch(event.Decision{Verdict: event.Review, Match: &match, Matches: []event.MatchInfo{match, {FlaggedID: "no flag"}}})
	}
	seen.Stop()
}

// flagOf is the flag of a record's PDQ hash.
func (b *bench) flagOf(index int) (flag uuid.UUID) {
	b.Helper()
	var hash string
	b.source.Live(func(r fake.Record) {
		if r.Index == index {
			hash = r.PDQ
		}
	})
	for _, hits := range b.matches(hash) {
		flag = hits.FlaggedID
	}
	require.NotEqual(b, uuid.Nil, flag)
	return flag
}

// reviewed is a review of an upload that matched the PDQ hash of a record.
func (b *bench) reviewed(id, verdict string, index int) {
	b.Helper()
	flag := b.flagOf(index)
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
