package exchange

import (
	"context"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"moderator/internal/exchange/fake"
	"moderator/internal/matchdb"
	"moderator/internal/pdq"
)

// MODERATOR_LONG_TESTS=1 fetches a million records of NCMEC, or MODERATOR_LONG_TESTS=N that many, while uploads are looked up.
func TestManyRecords(t *testing.T) {
	records, err := strconv.Atoi(os.Getenv("MODERATOR_LONG_TESTS"))
	if err != nil || records < 1 {
		t.Skip("MODERATOR_LONG_TESTS=1 fetches a million records: it takes minutes")
	}
	if records == 1 {
		records = 1_000_000
	}
	ncmecMost = 100_000
	b := newBench(t, "ncmec", &fake.Source{Records: records})
	ctx, stop := context.WithCancel(t.Context())
	var lookups, plain []time.Duration
	var asking sync.WaitGroup
	asking.Go(func() {
		lookups = timed(ctx, func() error {
			var h pdq.Hash
			for i := range h {
				h[i] = byte(rand.Uint32())
			}
			_, err := b.db.MatchHashes(ctx, []matchdb.HashQuery{{PDQ: []matchdb.PDQ{{Hash: h, Quality: 100}}}})
			return err
		})
	})
	asking.Go(func() { plain = timed(ctx, func() error { _, err := b.db.MayFetch(ctx); return err }) })
	start := time.Now()
	got := b.fetch()
	elapsed := time.Since(start)
	stop()
	asking.Wait()
	require.Equal(t, records, got.Entries)
	require.Equal(t, 2*records, got.Stored)
	var usage syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	share := func(took []time.Duration, of float64) time.Duration {
		slices.Sort(took)
		return took[int(of*float64(len(took)-1))].Round(10 * time.Microsecond)
	}
	t.Logf("%d entries, %d flags in %v: %.0f entries a second; at most %d MB resident; %d look-ups meanwhile: p50 %v, p99 %v; a statement that reads nothing: p50 %v, p99 %v",
		records, got.Stored, elapsed.Round(time.Second), float64(records)/elapsed.Seconds(), usage.Maxrss>>10,
		len(lookups), share(lookups, 0.5), share(lookups, 0.99), share(plain, 0.5), share(plain, 0.99))
}

// timed returns how long each call took, of some fifty a second until ctx is done.
func timed(ctx context.Context, call func() error) (took []time.Duration) {
	for ctx.Err() == nil {
		start := time.Now()
		if call() == nil {
			took = append(took, time.Since(start))
		}
		time.Sleep(20 * time.Millisecond)
	}
	return took
}
