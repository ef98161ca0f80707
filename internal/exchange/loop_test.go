package exchange

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"moderator/internal/exchange/fake"
	"moderator/internal/matchdb"
)

// Of two processes one fetches.
func TestOneOfManyFetches(t *testing.T) {
	b := newBench(t, "threatexchange", &fake.Source{Records: 900})
	other, err := matchdb.Open(t.Context(), b.url)
	require.NoError(t, err)
	t.Cleanup(other.Close)
	ctx, stop := context.WithCancel(t.Context())
	var loops sync.WaitGroup
	for _, db := range []*matchdb.DB{b.db, other} {
		loops.Go(func() { b.newFetcher(db).Run(ctx) })
	}
	for b.state().FetchedAt == nil {
		time.Sleep(10 * time.Millisecond)
	}
	stop()
	loops.Wait()
	b.requireSame()
	require.Equal(t, 2, b.source.Requests(), "each page was asked for once")
	require.Nil(t, b.state().FailedAt)
}

func TestLockIsHeldByOne(t *testing.T) {
	b := newBench(t, "threatexchange", &fake.Source{Records: 1})
	lock, err := b.db.LockExchange(t.Context(), "x")
	require.NoError(t, err)
	_, err = b.fetcher.Fetch(t.Context(), "x", false)
	require.ErrorIs(t, err, matchdb.ErrBusy)
	lock.Close()
	b.fetch()
	_, err = b.fetcher.Fetch(t.Context(), "y", false)
	require.ErrorIs(t, err, matchdb.ErrNotFound)
}

// A login that may only read leaves the exchanges to others.
func TestReaderFetchesNothing(t *testing.T) {
	b := newBench(t, "threatexchange", &fake.Source{Records: 1})
	execute(t, b.url, "CREATE ROLE reading LOGIN IN ROLE moderator_reader")
	defer execute(t, b.url, "DROP ROLE reading")
	db, err := matchdb.Open(t.Context(), b.url+"&user=reading")
	require.NoError(t, err)
	defer db.Close()
	b.newFetcher(db).Run(t.Context()) // returns
	require.Zero(t, b.source.Requests())
}

func TestDue(t *testing.T) {
	now := fake.Begin
	at := func(ago time.Duration) *time.Time {
		t := now.Add(-ago)
		return &t
	}
	e := func(programme string, s matchdb.ExchangeState) matchdb.Exchange {
		return matchdb.Exchange{Programme: programme, Enabled: true, Settings: json.RawMessage(`{"every":"1h"}`), State: s}
	}
	fetched := func(ago time.Duration) matchdb.ExchangeState {
		return matchdb.ExchangeState{StartedAt: at(ago), FetchedAt: at(ago - time.Second)}
	}
	failed := func(ago time.Duration) matchdb.ExchangeState {
		return matchdb.ExchangeState{StartedAt: at(ago), FetchedAt: at(2 * ago), FailedAt: at(ago - time.Second)}
	}
	off, running := e("tcap", matchdb.ExchangeState{}), e("tcap", matchdb.ExchangeState{Running: true})
	off.Enabled = false
	for name, c := range map[string]struct {
		e    matchdb.Exchange
		want bool
	}{
		"new":                    {e("tcap", matchdb.ExchangeState{}), true},
		"disabled":               {off, false},
		"running":                {running, false},
		"fetched just now":       {e("tcap", fetched(59*time.Minute)), false},
		"fetched an hour ago":    {e("tcap", fetched(time.Hour)), true},
		"failed":                 {e("tcap", failed(4*time.Minute)), false},
		"failed a while ago":     {e("tcap", failed(5*time.Minute)), true},
		"NCMEC's failed":         {e("ncmec", failed(9*time.Minute)), false},
		"killed":                 {e("tcap", matchdb.ExchangeState{StartedAt: at(time.Minute)}), true},
		"killed just now":        {e("tcap", matchdb.ExchangeState{StartedAt: at(59 * time.Second)}), false},
		"killed after a success": {e("tcap", matchdb.ExchangeState{StartedAt: at(time.Minute), FetchedAt: at(time.Hour)}), true},
	} {
		require.Equal(t, c.want, due(c.e, now), name)
	}
}

func TestMetrics(t *testing.T) {
	b := newBench(t, "tcap", &fake.Source{Records: 10})
	registry := prometheus.NewRegistry()
	Register(registry, b.db)
	b.fetch()
	execute(t, b.url, "UPDATE exchange_state SET fetched_at = to_timestamp(1700000000.5)")
	require.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP moderator_exchange_hashes Hashes of an exchange's entries that the library holds.
# TYPE moderator_exchange_hashes gauge
moderator_exchange_hashes{exchange="x"} 10
# HELP moderator_exchange_last_fetch_timestamp_seconds When a fetch of an enabled exchange last reached the source's end, in seconds since 1970; 0: never.
# TYPE moderator_exchange_last_fetch_timestamp_seconds gauge
moderator_exchange_last_fetch_timestamp_seconds{exchange="x"} 1.7000000005e+09
# HELP moderator_exchange_refused_hashes Hashes and entries of an exchange that were not taken since its last whole fetch began.
# TYPE moderator_exchange_refused_hashes gauge
moderator_exchange_refused_hashes{exchange="x"} 1
`)))
	require.NoError(t, b.db.SwitchExchange(t.Context(), "x", false, "ann", ""))
	n, err := testutil.GatherAndCount(registry, "moderator_exchange_last_fetch_timestamp_seconds")
	require.NoError(t, err)
	require.Zero(t, n, "of a disabled one nobody expects an age")
}
