package recognise

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"moderator/internal/event"
	"moderator/internal/matchdb"
)

// Quarantine counts the uploads that each flag blocks, and puts a flag in quarantine that blocks more than a rate. End it with Stop.
type Quarantine struct {
	db     *matchdb.DB
	rate   int // uploads within quarantineWindow
	log    *slog.Logger
	mu     sync.Mutex
	blocks blockCounts
	queue  chan uuid.UUID
	stop   context.CancelFunc
	done   chan struct{}
}

const (
	quarantineWindow = time.Hour
	quarantineQueue  = 64              // flags that wait to be put in quarantine
	quarantineRetry  = time.Second     // between tries while the database is away
	quarantineFlush  = 5 * time.Second // for the last of a shutdown
)

// StartQuarantine begins to count; nil where rate is 0. Counts are of this process, and end with it.
func StartQuarantine(ctx context.Context, db *matchdb.DB, rate int, log *slog.Logger) *Quarantine {
	if rate == 0 {
		return nil
	}
	q := &Quarantine{
		db: db, rate: rate, log: log, blocks: blockCounts{of: map[uuid.UUID][]time.Time{}},
		queue: make(chan uuid.UUID, quarantineQueue), done: make(chan struct{}),
	}
	ctx, q.stop = context.WithCancel(context.WithoutCancel(ctx))
	go q.write(ctx)
	return q
}

// ObserveMatch implements consumer.MatchObserver: it counts the flag of a decision that blocks.
func (q *Quarantine) ObserveMatch(d event.Decision) {
	if d.Verdict != event.Block {
		return
	}
	id, err := uuid.Parse(d.Match.FlaggedID)
	if err != nil { // not a flag of the library
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.blocks.add(id, time.Now()) <= q.rate {
		return
	}
	select {
	case q.queue <- id:
		q.blocks.forget(id)
	default: // the next block tries again
	}
}

// Stop puts in quarantine what waits for it, as far as quarantineFlush lasts. ObserveMatch must not be called any more.
func (q *Quarantine) Stop() {
	if q == nil {
		return
	}
	defer q.stop()
	close(q.queue)
	defer time.AfterFunc(quarantineFlush, q.stop).Stop()
	<-q.done
}

// write tries until the database takes each flag, or Stop ends it.
func (q *Quarantine) write(ctx context.Context) {
	defer close(q.done)
	for id := range q.queue {
		put, err := q.db.QuarantineFlag(ctx, id, q.rate+1)
		for matchdb.Retryable(err) && ctx.Err() == nil {
			select {
			case <-time.After(quarantineRetry):
			case <-ctx.Done():
			}
			put, err = q.db.QuarantineFlag(ctx, id, q.rate+1)
		}
		switch {
		case err != nil:
			q.log.Error("a flag that blocks very many uploads is not in quarantine", "flag", id, "blocked", q.rate+1, "error", err)
		case put:
			q.log.Warn("a flag blocks very many uploads: it asks for review until `flagctl release`", "flag", id, "blocked", q.rate+1)
		}
	}
}

// blockCounts are the times of the last blocks, by flag.
type blockCounts struct {
	of    map[uuid.UUID][]time.Time
	swept time.Time
}

// add counts a block, and returns the flag's blocks within the window.
func (b *blockCounts) add(id uuid.UUID, now time.Time) int {
	if now.Sub(b.swept) > quarantineWindow {
		for other, times := range b.of {
			if now.Sub(times[len(times)-1]) > quarantineWindow {
				delete(b.of, other)
			}
		}
		b.swept = now
	}
	times := append(b.of[id], now)
	for now.Sub(times[0]) > quarantineWindow {
		times = times[1:]
	}
	b.of[id] = times
	return len(times)
}

func (b *blockCounts) forget(id uuid.UUID) { delete(b.of, id) }
