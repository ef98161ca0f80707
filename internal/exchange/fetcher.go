package exchange

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"time"

	"golang.org/x/sync/errgroup"

	"moderator/internal/matchdb"
)

// Fetcher fetches exchanges into the library.
type Fetcher struct {
	DB          *matchdb.DB
	Credentials string         // folder of files with credentials; "": only the environment has some
	Allow       []netip.Prefix // networks of sources that are not public
	Logger      *slog.Logger
	Pause       time.Duration // before a request that failed is tried again; it doubles. 0: a second

	now func() time.Time // nil: time.Now
}

// Fetched counts what a fetch changed.
type Fetched struct {
	Pages, Entries, Stored, Removed, Forgotten, Refused int
	Whole                                               bool
}

// Fetch fetches the exchange to its source's end. With anew all is fetched, and what does not come again is dropped. What was stored
// before an error stays, and the library notes the error. Errors wrap matchdb.ErrBusy while another process fetches it, or ErrNotFound.
func (f *Fetcher) Fetch(ctx context.Context, name string, anew bool) (Fetched, error) {
	lock, err := f.DB.LockExchange(ctx, name)
	if err != nil {
		return Fetched{}, err
	}
	defer lock.Close()
	return f.fetch(ctx, lock, anew)
}

func (f *Fetcher) fetch(ctx context.Context, lock *matchdb.ExchangeFetch, anew bool) (done Fetched, err error) {
	err = f.run(ctx, lock, anew, &done)
	if err != nil {
		err = fmt.Errorf("exchange %s: %w", lock.Name, err)
	}
	if err != nil && ctx.Err() == nil { // else it was interrupted, and goes on
		if failed := lock.Fail(ctx, err); failed != nil {
			f.Logger.Warn("could not note that a fetch failed", "exchange", lock.Name, "error", failed)
		}
	}
	return done, err
}

func (f *Fetcher) run(ctx context.Context, lock *matchdb.ExchangeFetch, anew bool, done *Fetched) error {
	from, stale, err := f.source(lock.Exchange)
	if err != nil {
		return err
	}
	defer from.close()
	if at := lock.State.ProgressedAt; stale > 0 && at != nil && time.Since(*at) > stale {
		anew = true
	}
	if from.list != nil {
		same, err := from.list.unchanged(ctx, lock.State.Checkpoint)
		if err != nil {
			return err
		}
		if same && !anew && !lock.State.Whole {
			if err := lock.Begin(ctx, false); err != nil {
				return err
			}
			_, err = lock.End(ctx)
			return err
		}
		anew = true
	}
	if err := lock.Begin(ctx, anew); err != nil {
		return err
	}
	done.Whole = lock.State.Whole
	if err := f.pages(ctx, lock, from.source, done); err != nil {
		return err
	}
	change, err := lock.End(ctx)
	done.add(change)
	if err != nil {
		return err
	}
	return sendFeedback(ctx, lock, from.source)
}

// pages stores one page while the source is asked for the next.
func (f *Fetcher) pages(ctx context.Context, lock *matchdb.ExchangeFetch, from source, done *Fetched) error {
	group, ctx := errgroup.WithContext(ctx)
	pages := make(chan page)
	group.Go(func() error {
		defer close(pages)
		for place, last := lock.State.Checkpoint, false; !last; {
			p, err := from.next(ctx, place)
			if err != nil {
				return err
			}
			if p.Checkpoint != nil {
				place = p.Checkpoint
			}
			last = p.last
			select {
			case pages <- p:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	group.Go(func() error {
		for p := range pages {
			change, err := f.store(ctx, lock, p.ExchangePage)
			if err != nil {
				return err
			}
			done.Pages++
			done.Entries += len(p.Entries)
			for _, n := range p.Refused {
				done.Refused += n
			}
			done.add(change)
		}
		return nil
	})
	return group.Wait()
}

// store tries again what lost a conflict with another transaction.
func (f *Fetcher) store(ctx context.Context, lock *matchdb.ExchangeFetch, p matchdb.ExchangePage) (c matchdb.ExchangeChange, err error) {
	const tries = 3
	for try := 1; ; try++ {
		if c, err = lock.Store(ctx, p); err == nil || try == tries || !matchdb.Retryable(err) {
			return c, err
		}
	}
}

func (d *Fetched) add(c matchdb.ExchangeChange) {
	d.Stored, d.Removed, d.Forgotten = d.Stored+c.Stored, d.Removed+c.Removed, d.Forgotten+c.Forgotten
}

// opened is a source with what is to be closed behind it.
type opened struct {
	source
	web  *web
	list *list // of a list, else nil
}

func (o opened) close() {
	o.web.close()
	if o.list != nil {
		o.list.close()
	}
}

// source opens the exchange's source.
func (f *Fetcher) source(e matchdb.Exchange) (o opened, stale time.Duration, err error) {
	s, err := parseSettings(e.Settings)
	if err != nil {
		return o, 0, err
	}
	if err := s.Check(e.Programme); err != nil {
		return o, 0, err
	}
	p := programmes[e.Programme]
	root, err := url.Parse(s.URL)
	if err != nil {
		return o, 0, err
	}
	creds, err := readCredentials(e.Name, f.Credentials, p, root)
	if err != nil {
		return o, 0, err
	}
	now := f.now
	if now == nil {
		now = time.Now
	}
	o.web = newWeb(root, creds, f.Allow, cmp.Or(f.Pause, time.Second), now)
	o.source = p.open(o.web, e.Name, s)
	o.list, _ = o.source.(*list)
	return o, p.stale, nil
}
