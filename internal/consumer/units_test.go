package consumer

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPolicy(t *testing.T) {
	now := time.Unix(0, 0)
	p := policy{size: 2, age: time.Second}
	_, waiting := p.due(now)
	require.False(t, waiting)
	require.Nil(t, p.add(&item{}, now))
	wait, waiting := p.due(now.Add(300 * time.Millisecond))
	require.True(t, waiting)
	require.Equal(t, 700*time.Millisecond, wait)
	wait, _ = p.due(now.Add(5 * time.Second))
	require.Zero(t, wait)
	require.Len(t, p.add(&item{}, now), 2)
	require.Nil(t, p.flush())
}

// A batch that is due grows until the next stage is free.
func TestCollectGrowsWhileTheNextStageIsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, out := make(chan *item), make(chan []*item)
		go collect(in, out, 3, time.Millisecond, func() bool { return true })
		in <- &item{}
		time.Sleep(2 * time.Millisecond) // of the bubble's clock: the batch is due, and nobody receives it
		synctest.Wait()
		in <- &item{}
		require.Len(t, <-out, 2)
		in <- &item{}
		close(in)
		require.Len(t, <-out, 1, "the last batch is flushed")
		_, open := <-out
		require.False(t, open)
	})
}

// A batch waits for further uploads only while some are being prepared.
func TestCollectWaitsForUploadsBeingPrepared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var preparing atomic.Bool
		in, out := make(chan *item), make(chan []*item)
		go collect(in, out, 3, time.Hour, preparing.Load)
		in <- &item{}
		require.Len(t, <-out, 1)
		preparing.Store(true)
		in <- &item{}
		synctest.Wait()
		select {
		case <-out:
			t.Fatal("the batch did not wait for an upload that is being prepared")
		default:
		}
		preparing.Store(false)
		in <- &item{}
		require.Len(t, <-out, 2)
		close(in)
	})
}

// In a backlog a batch waits for others to fill it: as long as its uploads have waited already, within a bound. One that has not
// waited in the stream does not wait for a backlog.
func TestBatchesFillInABacklog(t *testing.T) {
	queued := func(ms float64) *item { it := &item{}; it.decision.Timing.Queue = ms; return it }
	now := time.Unix(0, 0)
	p := policy{size: 9, age: 10 * time.Millisecond}
	for _, c := range []struct {
		queued  float64
		wait    time.Duration
		backlog bool
	}{{5, p.age, false}, {1e6, backlogWait, true}, {20, 20 * time.Millisecond, true}, {0, p.age, false}} {
		if c.backlog != p.backlog {
			p.flush()
		}
		p.add(queued(c.queued), now)
		wait, _ := p.due(now)
		require.Equal(t, c.wait, wait)
		require.Equal(t, c.backlog, p.backlog)
	}

	synctest.Test(t, func(t *testing.T) {
		in, out := make(chan *item), make(chan []*item)
		go collect(in, out, 3, 10*time.Millisecond, func() bool { return false })
		began := time.Now()
		in <- queued(1e6)
		time.Sleep(15 * time.Millisecond) // of the bubble's clock
		in <- queued(1e6)
		require.Len(t, <-out, 2)
		require.Equal(t, backlogWait, time.Since(began), "the first one's wait")
		in <- queued(1e6)
		in <- queued(0)
		require.Len(t, <-out, 2)
		require.Equal(t, backlogWait, time.Since(began), "one that has not waited, and nothing is prepared")
		close(in)
	})
}

func TestConfigValidate(t *testing.T) {
	good := Config{
		BatchSize: 1, BatchAge: 1, Workers: 1, MaxUploadBytes: 1, MaxHeldBytes: 1, Attempts: 1, Backoff: 1,
		AckWait: 3, Budget: 1, DrainTime: 1,
	}
	require.NoError(t, good.Validate())
	bad := good
	bad.AckWait, bad.BatchSize, bad.MaxHeldBytes = 2, 0, 0
	err := bad.Validate()
	require.ErrorContains(t, err, "ack-wait is 2ns, wanted more than batch-age plus batch-budget (2ns)")
	require.ErrorContains(t, err, "batch-size is 0")
	require.ErrorContains(t, err, "max-held-bytes is 0")
}

func TestBackoffDoublesUpToAMinute(t *testing.T) {
	c := Config{Backoff: time.Second}
	require.Equal(t, time.Second, c.backoff(1))
	require.Equal(t, 4*time.Second, c.backoff(3))
	require.Equal(t, time.Minute, c.backoff(50))
}
