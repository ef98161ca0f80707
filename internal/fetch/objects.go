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

// Limits on the names of an object. They become subjects, base64 makes a third more of them, and a server cuts off
// a client whose subject is longer than its max_control_line (4 KiB).
const (
	maxBucketBytes = 250
	maxNameBytes   = 1024
)

// objects reads JetStream object stores.
type objects struct {
	js    jetstream.JetStream
	again time.Duration // the wait before an object that is not there is looked up once more
	reads sync.WaitGroup
}

func newObjects(js jetstream.JetStream) *objects { return &objects{js: js, again: time.Second} }

// get returns an object's bytes, whose digest was checked. A link is followed once.
func (o *objects) get(ctx context.Context, from event.Object, within room) ([]byte, error) {
	store, info, err := o.find(ctx, from)
	if err == nil && linked(info) {
		from = event.Object{Bucket: info.Opts.Link.Bucket, Name: info.Opts.Link.Name}
		store, info, err = o.find(ctx, from)
		if err == nil && linked(info) {
			return nil, failed("it is a link to a link, wanted an object or a link to one")
		}
	}
	if err != nil {
		return nil, forGood(err)
	}
	if info.Size > math.MaxInt64 {
		return nil, tooLarge(info.Size, within.most)
	}
	if err := within.announced(int64(info.Size)); err != nil {
		return nil, err
	}
	return o.read(ctx, store, from.Name, int64(info.Size), within.most)
}

// find looks an object up. One that is not there is looked up again after a moment: any replica of the store may
// answer, also one that has not heard of the newest objects yet.
func (o *objects) find(ctx context.Context, from event.Object) (jetstream.ObjectStore, *jetstream.ObjectInfo, error) {
	if len(from.Bucket) > maxBucketBytes || len(from.Name) > maxNameBytes {
		return nil, nil, failed("the names of its bucket and object are %d and %d bytes, wanted at most %d and %d", len(from.Bucket), len(from.Name), maxBucketBytes, maxNameBytes)
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

// read reads an object to its end. The client library's reader heeds a deadline but no cancellation, so it reads on a
// goroutine of its own, which ends by the deadline of ctx; Close waits for it.
func (o *objects) read(ctx context.Context, store jetstream.ObjectStore, name string, size, maxBytes int64) ([]byte, error) {
	type result struct {
		data []byte
		err  error
	}
	done := make(chan result, 1)
	o.reads.Go(func() {
		object, err := store.Get(ctx, name)
		if err != nil {
			done <- result{nil, forGood(err)}
			return
		}
		defer func() { _ = object.Close() }()
		reserved := room{maxBytes, func(bytes int64) bool { return bytes <= max(size, firstBytes) }} // it may outlive its reservation
		data, err := reserved.readAll(object, size)
		var full *event.NotAdmitted
		if errors.As(err, &full) {
			err = fmt.Errorf("it has more than the %d bytes that its description says", size)
		}
		if errors.Is(err, os.ErrDeadlineExceeded) { // the reader keeps the deadline of ctx by a timer of its own
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

// forGood marks the errors that no second look will mend.
func forGood(err error) error {
	for _, known := range []error{
		jetstream.ErrBucketNotFound, jetstream.ErrInvalidStoreName, jetstream.ErrObjectNotFound,
		jetstream.ErrBadObjectMeta, jetstream.ErrNameRequired, jetstream.ErrCantGetBucket,
	} {
		if errors.Is(err, known) {
			return failed("%w", known)
		}
	}
	return fmt.Errorf("read the object store: %w", err)
}
