package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sync/errgroup"
)

// Run runs chaos to its end.
func (c *runCommand) Run(ctx context.Context, stdout io.Writer) (err error) {
	out := newProgress(stdout)
	a, err := newArena(ctx, c.Bin, out)
	if a != nil {
		defer func() {
			err = errors.Join(err, a.stop(ctx))
			if err != nil {
				err = fmt.Errorf("%w\nthe logs are in %s", err, a.dir)
				return
			}
			err = os.RemoveAll(a.dir)
		}()
	}
	if err != nil {
		return err
	}
	flagged, unrelated, err := drawPictures()
	if err != nil {
		return err
	}
	if err := a.flag(ctx, flagged); err != nil {
		return err
	}
	p, err := newPublisher(a.broker.url())
	if err != nil {
		return err
	}
	defer p.close()
	a.pipeline = p
	uploads, objects := makeUploads(c.Seed, c.Uploads, flagged, unrelated)
	if err := p.putObjects(ctx, objects); err != nil {
		return err
	}
	out.say("started: NATS, Postgres, %d of %d pictures flagged; seed %d; logs in %s", len(flagged), pictures, c.Seed, a.dir)
	if err := c.disturb(ctx, a, p, uploads); err != nil {
		return err
	}
	decisions, err := p.decisions(ctx)
	if err != nil {
		return err
	}
	if stay, err := p.count(ctx, "UPLOADS"); err != nil {
		return err
	} else if stay > 0 {
		out.say("%d acknowledged uploads stay in UPLOADS: the broker was killed before it stored their removal", stay)
	}
	t := compare(uploads, decisions)
	t.print(out)
	fmt.Fprintln(stdout, t.line(schedule(c.Seed, c.Kills, c.Replicas)))
	switch {
	case !t.good():
		return errors.New("decisions are missing, double or wrong: see the uploads listed above")
	case out.faults() > 0:
		return fmt.Errorf("%d faults, marked FAULT above", out.faults())
	}
	return nil
}

// disturb runs the replicas, publishes and kills. It returns when no upload is left to decide and the replicas have ended.
func (c *runCommand) disturb(ctx context.Context, a *arena, p *publisher, uploads []upload) error {
	running, stop := context.WithCancel(ctx)
	defer stop()
	keepers, running := errgroup.WithContext(running)
	for i := range c.Replicas {
		r := newReplica(a.dir, a.bin, a.broker.url(), a.library.url(), i, a.out)
		a.replicas = append(a.replicas, r)
		keepers.Go(func() error { return r.keep(running) })
	}
	err := c.flow(running, a, p, uploads)
	stop()
	return errors.Join(err, keepers.Wait())
}

// flow publishes a share of the uploads in the gap before each kill, and the last share after the last kill.
func (c *runCommand) flow(ctx context.Context, a *arena, p *publisher, uploads []upload) error {
	if err := a.ready(ctx); err != nil {
		return err
	}
	a.out.say("ready: %d moderators", len(a.replicas))
	kills := schedule(c.Seed, c.Kills, c.Replicas)
	gaps := make(chan time.Duration, len(kills)+1)
	both, flowing := errgroup.WithContext(ctx)
	both.Go(func() error {
		defer close(gaps)
		for i, k := range kills {
			gaps <- k.gap
			sleep(flowing, k.gap)
			if flowing.Err() != nil {
				return flowing.Err()
			}
			err := a.apply(ctx, k, func() {
				a.out.say("kill %d/%d  %v (%d uploads stored)", i+1, len(kills), k, p.stored.Load())
			})
			if err != nil {
				return err
			}
		}
		gaps <- longestGap
		return nil
	})
	both.Go(func() error {
		shares, sent := len(kills)+1, 0
		for i := 1; i <= shares; i++ {
			end := i * len(uploads) / shares
			if err := p.share(flowing, uploads[sent:end], <-gaps); err != nil {
				return err
			}
			sent = end
		}
		return nil
	})
	if err := both.Wait(); err != nil {
		return err
	}
	if err := a.repairs.Wait(); err != nil {
		return err
	}
	if err := a.ready(ctx); err != nil {
		return err
	}
	a.out.say("all %d uploads are stored, and all servers are running", len(uploads))
	return p.drain(ctx, a.out)
}
