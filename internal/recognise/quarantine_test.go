package recognise

import (
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"moderator/internal/event"
	"moderator/internal/keypoint"
	"moderator/internal/matchdb"
)

func TestBlocksCountForAnHour(t *testing.T) {
	b := blockCounts{of: map[uuid.UUID][]time.Time{}}
	first, second := uuid.New(), uuid.New()
	start := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	var counts []int
	for _, minute := range []int{0, 1, 59, 60, 61, 62, 200} {
		counts = append(counts, b.add(first, start.Add(time.Duration(minute)*time.Minute)))
	}
	require.Equal(t, []int{1, 2, 3, 4, 4, 4, 1}, counts)
	require.Equal(t, 1, b.add(second, start.Add(200*time.Minute)), "each flag for itself")
	b.forget(first)
	require.Equal(t, 1, b.add(first, start.Add(200*time.Minute)))
	b.add(first, start.Add(300*time.Minute))
	require.Len(t, b.of, 1, "flags that stopped blocking take no memory")
}

func TestAFlagThatBlocksTooMuchAsksForReview(t *testing.T) {
	p := newPoliced(t, keypoint.Features{})
	u := p.upload("another", 20, plain())
	quarantined := func() bool {
		flags, err := p.db.ListFlags(t.Context(), matchdb.FlagFilter{Quarantined: true})
		require.NoError(t, err)
		return len(flags) > 0
	}
	count := func(blocks int, until func() bool) {
		q := StartQuarantine(t.Context(), p.db, 3, slog.New(slog.NewTextHandler(t.Output(), nil)))
		for range blocks {
			q.ObserveMatch(event.Decision{Verdict: event.Block, Match: &event.MatchInfo{FlaggedID: p.flag}})
			q.ObserveMatch(event.Decision{Verdict: event.Block, Match: &event.MatchInfo{FlaggedID: "not a flag"}})
			q.ObserveMatch(event.Decision{Verdict: event.Review, Match: &event.MatchInfo{FlaggedID: p.flag}})
		}
		require.Eventually(t, until, time.Minute, 10*time.Millisecond)
		q.Stop()
	}
	always := func() bool { return true }
	count(3, always)
	require.Equal(t, event.Block, p.judge(u).Verdict, "three are allowed")
	count(4, quarantined)
	d := p.judge(u)
	require.Equal(t, []any{event.Review, event.Match, p.flag, true}, []any{d.Verdict, d.Reason, d.Match.FlaggedID, d.Match.Quarantined})
	require.Equal(t, event.Review, p.judge(p.upload("flagged", 200, plain())).Verdict, "by its file, too")

	require.NoError(t, p.db.Release(t.Context(), []uuid.UUID{uuid.MustParse(p.flag)}, "mo", "a campaign"))
	count(20, always)
	d = p.judge(u)
	require.Equal(t, []any{event.Block, false}, []any{d.Verdict, d.Match.Quarantined})
	require.Nil(t, StartQuarantine(t.Context(), p.db, 0, nil))
}

// A database that does not answer delays a quarantine, and no shutdown for long.
func TestQuarantineWaitsForTheDatabase(t *testing.T) {
	p := newPoliced(t, keypoint.Features{})
	conn, err := pgx.Connect(t.Context(), p.url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	_, err = conn.Exec(t.Context(), "BEGIN; LOCK TABLE quarantine")
	require.NoError(t, err)
	q := StartQuarantine(t.Context(), p.db, 1, slog.New(slog.NewTextHandler(t.Output(), nil)))
	for range 10 * quarantineQueue { // does not block
		q.ObserveMatch(event.Decision{Verdict: event.Block, Match: &event.MatchInfo{FlaggedID: p.flag}})
	}
	_, err = conn.Exec(t.Context(), "ROLLBACK")
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		flags, err := p.db.ListFlags(t.Context(), matchdb.FlagFilter{Quarantined: true})
		require.NoError(t, err)
		return len(flags) == 1
	}, time.Minute, 10*time.Millisecond)
	q.Stop()
}
