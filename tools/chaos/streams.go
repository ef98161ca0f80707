package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/nats-io/nats.go/jetstream"
)

// deleteStream deletes UPLOADS with its waiting uploads. The moderators end, as their durable is deleted, and create both again
// after their restart.
func (a *arena) deleteStream(ctx context.Context, announce func()) error {
	a.broker.mu.Lock()
	defer a.broker.mu.Unlock()
	a.pipeline.mu.Lock()
	defer a.pipeline.mu.Unlock()
	waiting, err := a.pipeline.waiting(ctx)
	if err != nil {
		return err
	}
	announce()
	for _, r := range a.replicas {
		r.excuse()
	}
	if err := a.pipeline.js.DeleteStream(ctx, "UPLOADS"); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
		return fmt.Errorf("delete UPLOADS: %w", err)
	}
	for _, u := range a.pipeline.published {
		if waiting[u.id] {
			u.gone = true
		}
	}
	return nil
}

// waiting returns the ids of the uploads in UPLOADS. Other uploads are acknowledged, and have their decisions.
func (p *publisher) waiting(ctx context.Context) (map[string]bool, error) {
	ids := map[string]bool{}
	stream, err := p.js.Stream(ctx, "UPLOADS")
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return ids, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look up UPLOADS: %w", err)
	}
	for next := uint64(1); ; {
		msg, err := stream.GetMsg(ctx, next, jetstream.WithGetMsgSubject("uploads.>"))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return ids, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read UPLOADS from %d on: %w", next, err)
		}
		ids[msg.Header.Get(jetstream.MsgIDHeader)] = true
		next = msg.Sequence + 1
	}
}

// rollBack copies the broker's store, lets uploads flow for a while, and replaces the store by the copy. Uploads published in
// between are deleted, with their decisions.
func (a *arena) rollBack(ctx context.Context, k kill, announce func()) {
	a.broker.mu.Lock()
	announce()
	a.repairs.Go(func() error {
		defer a.broker.mu.Unlock()
		var since int
		if err := a.offline(ctx, func(store, saved string) error {
			since = len(a.pipeline.published)
			return copyFolder(saved, store)
		}); err != nil {
			return err
		}
		sleep(ctx, k.down)
		return a.offline(ctx, func(store, saved string) error {
			for _, u := range a.pipeline.published[since:] {
				u.gone = true
			}
			return copyFolder(store, saved)
		})
	})
}

// offline kills the broker, calls change with the folder of its store and another one, and restarts the broker. No upload is
// published in the meantime.
func (a *arena) offline(ctx context.Context, change func(store, saved string) error) error {
	a.pipeline.mu.Lock()
	defer a.pipeline.mu.Unlock()
	a.broker.process.Kill()
	if err := change(a.broker.store, a.broker.store+"-copy"); err != nil {
		return err
	}
	return a.broker.start(ctx)
}

// copyFolder copies the folder from to the new folder to.
func copyFolder(to, from string) error {
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	return os.CopyFS(to, os.DirFS(from))
}
