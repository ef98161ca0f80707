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
	var took []time.Duration
	var lookups sync.WaitGroup
	lookups.Go(func() {
		for ctx.Err() == nil {
			var h pdq.Hash
			for i := range h {
				h[i] = byte(rand.Uint32())
			}
			start := time.Now()
			if _, err := b.db.MatchHashes(ctx, []matchdb.HashQuery{{PDQ: []matchdb.PDQ{{Hash: h, Quality: 100}}}}); err == nil {
				took = append(took, time.Since(start))
			}
			time.Sleep(20 * time.Millisecond)
		}
	})
	start := time.Now()
	got := b.fetch()
	elapsed := time.Since(start)
	stop()
	lookups.Wait()
	require.Equal(t, records, got.Entries)
	require.Equal(t, 2*records, got.Stored)
	var usage syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	slices.Sort(took)
	t.Logf("%d entries, %d flags in %v: %.0f entries a second; at most %d MB resident; %d look-ups meanwhile: p50 %v, p99 %v",
		records, got.Stored, elapsed.Round(time.Second), float64(records)/elapsed.Seconds(), usage.Maxrss>>10,
		len(took), took[len(took)/2], took[len(took)*99/100])
}
