package exchange

import (
	"context"
	"errors"
	"sync"
	"time"

	"moderator/internal/matchdb"
)

const (
	lookEvery   = 15 * time.Second // at which exchanges are due
	retryFailed = 5 * time.Minute  // after a fetch that failed, unless the programme or the exchange wants longer
	retryKilled = time.Minute      // after a fetch that neither ended nor failed
)

// Run fetches the exchanges that are due until ctx is done. Of several processes one fetches each exchange at a time. It ends at once
// where the database login may only read.
func (f *Fetcher) Run(ctx context.Context) {
	if may, err := f.DB.MayFetch(ctx); err == nil && !may {
		f.Logger.Info("exchanges are not fetched here: the database login may only read", "remedy", "GRANT moderator_curator to it")
		return
	}
	var running sync.Map
	var fetches sync.WaitGroup
	defer fetches.Wait()
	for {
		all, err := f.DB.Exchanges(ctx)
		if err != nil && ctx.Err() == nil {
			f.Logger.Warn("could not read the exchanges", "error", err)
		}
		for _, e := range all {
			if !due(e, time.Now()) {
				continue
			}
			if _, already := running.LoadOrStore(e.Name, true); already {
				continue
			}
			fetches.Go(func() {
				defer running.Delete(e.Name)
				f.fetchDue(ctx, e.Name)
			})
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(lookEvery):
		}
	}
}

// fetchDue fetches the exchange, unless another process has it, or has had it just now.
func (f *Fetcher) fetchDue(ctx context.Context, name string) {
	lock, err := f.DB.LockExchange(ctx, name)
	if errors.Is(err, matchdb.ErrBusy) || errors.Is(err, matchdb.ErrNotFound) {
		return
	}
	if err != nil {
		f.Logger.Warn("could not fetch an exchange", "exchange", name, "error", err)
		return
	}
	defer lock.Close()
	lock.State.Running = false // by another
	if !due(lock.Exchange, time.Now()) {
		return
	}
	start := time.Now()
	done, err := f.fetch(ctx, lock, false)
	switch {
	case ctx.Err() != nil: // the next start goes on
	case err != nil:
		f.Logger.Warn("could not fetch an exchange", "error", err)
	default:
		f.Logger.Info("fetched", "exchange", name, "whole", done.Whole, "entries", done.Entries, "stored", done.Stored, "removed", done.Removed,
			"forgotten", done.Forgotten, "refused", done.Refused, "ms", time.Since(start).Milliseconds())
	}
}

// due reports whether the exchange is to be fetched.
func due(e matchdb.Exchange, now time.Time) bool {
	s := e.State
	if !e.Enabled || s.Running {
		return false
	}
	if s.StartedAt == nil {
		return true
	}
	settings, err := parseSettings(e.Settings)
	if err != nil {
		return false
	}
	wait := settings.every()
	switch {
	case s.FailedAt != nil:
		wait = min(wait, max(retryFailed, programmes[e.Programme].least))
	case s.FetchedAt == nil || s.FetchedAt.Before(*s.StartedAt):
		wait = min(wait, retryKilled)
	}
	return !now.Before(s.StartedAt.Add(wait))
}
