package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// publisher publishes uploads, and waits for the stream's acknowledgement of each.
type publisher struct {
	nc     *nats.Conn
	js     jetstream.JetStream
	stored atomic.Int64

	mu        sync.Mutex // held while an upload is published, and while a stream is deleted or rolled back
	published []*upload  // stored uploads, in order
}

func newPublisher(url string) (*publisher, error) {
	nc, err := nats.Connect(url, nats.Name("chaos"), nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond))
	if err != nil {
		return nil, err
	}
	js, err := jetstream.New(nc)
	if err != nil {
		nc.Close()
		return nil, err
	}
	return &publisher{nc: nc, js: js}, nil
}

func (p *publisher) close() { p.nc.Close() }

// putObjects stores the objects of references.
func (p *publisher) putObjects(ctx context.Context, objects map[string][]byte) error {
	store, err := p.js.CreateObjectStore(ctx, jetstream.ObjectStoreConfig{Bucket: objectBucket})
	if err != nil {
		return fmt.Errorf("make the object store: %w", err)
	}
	for name, data := range objects {
		if _, err := store.PutBytes(ctx, name, data); err != nil {
			return fmt.Errorf("store object %s: %w", name, err)
		}
	}
	return nil
}

// share publishes uploads at an even rate over a time. After an outage of the broker it catches up.
func (p *publisher) share(ctx context.Context, uploads []upload, over time.Duration) error {
	began := time.Now()
	for i := range uploads {
		if err := p.publish(ctx, &uploads[i]); err != nil {
			return err
		}
		due := over * time.Duration(i+1) / time.Duration(len(uploads))
		sleep(ctx, due-time.Since(began))
	}
	return ctx.Err()
}

// publish retries until the upload is stored. By its message id, the stream drops a second copy.
func (p *publisher) publish(ctx context.Context, u *upload) error {
	msg, err := u.message()
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		err := p.try(ctx, u, msg)
		if err == nil {
			return nil
		}
		if errors.Is(err, nats.ErrMaxPayload) {
			return fmt.Errorf("publish %s: %w", u.id, err)
		}
		sleep(ctx, 100*time.Millisecond)
	}
	return ctx.Err()
}

func (p *publisher) try(ctx context.Context, u *upload, msg *nats.Msg) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	const patience = 3 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	u.tries++
	_, err := p.js.PublishMsg(ctx, msg)
	if err == nil {
		p.stored.Add(1)
		p.published = append(p.published, u)
	}
	return err
}

// sleep waits for d or until ctx is done.
func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
