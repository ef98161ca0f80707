package exchange

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"moderator/internal/event"
	"moderator/internal/matchdb"
)

// Seen queues feedback on flags that uploads match, for exchanges that want to know it. End it with Stop.
type Seen struct {
	db      *matchdb.DB
	log     *slog.Logger
	mu      sync.Mutex
	waiting map[uuid.UUID]bool
	stop    chan struct{}
	done    chan struct{}
}

const (
	seenEvery = 5 * time.Second // between two statements
	seenTime  = 5 * time.Second // that a statement may take
	mostSeen  = 1000            // flags that wait for the next statement; others wait for their next match
)

// StartSeen begins to collect flags.
func StartSeen(ctx context.Context, db *matchdb.DB, log *slog.Logger) *Seen {
	s := &Seen{db: db, log: log, waiting: map[uuid.UUID]bool{}, stop: make(chan struct{}), done: make(chan struct{})}
	go s.run(context.WithoutCancel(ctx))
	return s
}

// ObserveMatch implements consumer.MatchObserver.
func (s *Seen) ObserveMatch(d event.Decision) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range d.Matches {
		if id, err := uuid.Parse(m.FlaggedID); err == nil && len(s.waiting) < mostSeen {
			s.waiting[id] = true
		}
	}
}

// Stop queues what waits. ObserveMatch must not be called any more.
func (s *Seen) Stop() {
	close(s.stop)
	<-s.done
}

func (s *Seen) run(ctx context.Context) {
	defer close(s.done)
	tick := time.NewTicker(seenEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.flush(ctx)
		case <-s.stop:
			s.flush(ctx)
			return
		}
	}
}

// flush queues what waits, which waits on while the database is away.
func (s *Seen) flush(ctx context.Context) {
	s.mu.Lock()
	var flags []uuid.UUID
	for id := range s.waiting {
		flags = append(flags, id)
	}
	s.waiting = map[uuid.UUID]bool{}
	s.mu.Unlock()
	if len(flags) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, seenTime)
	defer cancel()
	err := s.db.QueueSeen(ctx, flags)
	switch {
	case err == nil:
	case matchdb.Retryable(err):
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, id := range flags {
			s.waiting[id] = true
		}
	default:
		s.log.Warn("exchanges are not told which of their entries uploads match", "flags", len(flags), "error", err)
	}
}
