package fetch

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"moderator/internal/event"
)

// Limits on an object's names. Base64 of them becomes part of a subject, and a server disconnects a client whose subject is
// longer than max_control_line (4 KiB).
const (
	maxBucketBytes = 250
	maxNameBytes   = 1024
)

// objects reads JetStream object stores.
type objects struct {
	js    jetstream.JetStream
	again time.Duration // delay before an object that was not found is looked up once more
	reads sync.WaitGroup
}

func newObjects(js jetstream.JetStream) *objects { return &objects{js: js, again: time.Second} }

// get returns an object's bytes and checks their digest. It follows a link once.
func (o *objects) get(ctx context.Context, from event.Object, mem memory) ([]byte, error) {
	store, info, err := o.find(ctx, from)
	if err == nil && linked(info) {
		from = event.Object{Bucket: info.Opts.Link.Bucket, Name: info.Opts.Link.Name}
		store, info, err = o.find(ctx, from)
		if err == nil && linked(info) {
			return nil, unjudgeable("it is a link to a link, wanted an object or a link to one")
		}
	}
	if err != nil {
		return nil, asUnjudgeable(err)
	}
	if info.Size > math.MaxInt64 {
		return nil, tooLarge(info.Size, mem.most)
	}
	if err := mem.reserveAnnounced(int64(info.Size)); err != nil {
		return nil, err
	}
	return o.read(ctx, store, from.Name, int64(info.Size), mem.most)
}

// find looks an object up, and once more if it is not found: the replica that answers may not have the newest objects yet.
func (o *objects) find(ctx context.Context, from event.Object) (jetstream.ObjectStore, *jetstream.ObjectInfo, error) {
	if len(from.Bucket) > maxBucketBytes || len(from.Name) > maxNameBytes {
		return nil, nil, unjudgeable("the names of its bucket and object are %d and %d bytes, wanted at most %d and %d", len(from.Bucket), len(from.Name), maxBucketBytes, maxNameBytes)
	}
	store, err := o.js.ObjectStore(ctx, from.Bucket)
	if err != nil {
		return nil, nil, err
	}
	info, err := store.GetInfo(ctx, from.Name)
	if errors.Is(err, jetstream.ErrObjectNotFound) {
		select {
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		case <-time.After(o.again):
		}
		info, err = store.GetInfo(ctx, from.Name)
	}
	return store, info, err
}

// read reads a whole object. The client library's reader ignores cancellation, so that it runs on a goroutine of its own,
// which ends at the deadline of ctx. Close waits for it.
func (o *objects) read(ctx context.Context, store jetstream.ObjectStore, name string, size, maxBytes int64) ([]byte, error) {
	type result struct {
		data []byte
		err  error
	}
	done := make(chan result, 1)
	o.reads.Go(func() {
		object, err := store.Get(ctx, name)
		if err != nil {
			done <- result{nil, asUnjudgeable(err)}
			return
		}
		defer func() { _ = object.Close() }()
		reserved := memory{maxBytes, func(bytes int64) bool { return bytes <= max(size, firstBytes) }} // the goroutine may outlive the caller's reservation
		data, err := reserved.readAll(object, size)
		var refused *event.NotAdmitted
		if errors.As(err, &refused) {
			err = fmt.Errorf("it has more than the %d bytes of its description", size)
		}
		if errors.Is(err, os.ErrDeadlineExceeded) { // from the reader's own timer for the deadline of ctx
			err = context.DeadlineExceeded
		}
		done <- result{data, err}
	})
	select {
	case got := <-done:
		return got.data, got.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func linked(info *jetstream.ObjectInfo) bool { return info.Opts != nil && info.Opts.Link != nil }

// asUnjudgeable makes permanent errors an *event.Unjudgeable.
func asUnjudgeable(err error) error {
	for _, known := range []error{
		jetstream.ErrBucketNotFound, jetstream.ErrInvalidStoreName, jetstream.ErrObjectNotFound,
		jetstream.ErrBadObjectMeta, jetstream.ErrNameRequired, jetstream.ErrCantGetBucket,
	} {
		if errors.Is(err, known) {
			return unjudgeable("%w", known)
		}
	}
	return fmt.Errorf("read the object store: %w", err)
}
