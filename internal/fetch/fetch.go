package fetch

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"moderator/internal/event"
)

// Fetcher gets uploads' bytes. It is safe for concurrent use. The caller closes it.
type Fetcher struct {
	timeout time.Duration
	web     *web
	objects *objects
	buckets *buckets
}

// New returns a Fetcher for URLs, cloud stores' buckets and js's object stores, or an error if cfg is invalid.
func New(cfg Config, js jetstream.JetStream) (*Fetcher, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	w, err := newWeb(cfg)
	if err != nil {
		return nil, err
	}
	b, err := newBuckets(cfg.Buckets)
	if err != nil {
		return nil, err
	}
	return &Fetcher{timeout: cfg.Timeout, web: w, objects: newObjects(js), buckets: b}, nil
}

// AllowHosts replaces Config.Hosts from the next URL or redirect on. On an error, which names each bad entry, the hosts stay.
func (f *Fetcher) AllowHosts(list []string) error { return f.web.allow(list) }

// Close closes idle connections and waits for reads of object stores to end. Fetch must not be called afterwards.
func (f *Fetcher) Close() {
	f.web.transport.CloseIdleConnections()
	f.objects.reads.Wait()
	f.buckets.close()
}

// Fetch implements consumer.Fetcher. The upload must be a reference. The package comment explains the errors.
func (f *Fetcher) Fetch(ctx context.Context, u event.Upload, maxBytes int64, reserve func(bytes int64) bool) ([]byte, error) {
	if reserve == nil {
		reserve = func(int64) bool { return true }
	}
	mem := memory{maxBytes, reserve}
	limited, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	var what string
	var data []byte
	var err error
	switch {
	case u.Object != nil:
		what = fmt.Sprintf("object %q of bucket %q", truncate(u.Object.Name, 255), truncate(u.Object.Bucket, 255))
		data, err = f.objects.get(limited, *u.Object, mem)
	case isBucket(u.URL):
		what = withoutSecrets(u.URL)
		data, err = f.buckets.get(limited, u.URL, mem)
	default:
		what = withoutSecrets(u.URL)
		data, err = f.web.get(limited, u.URL, mem)
	}
	var permanent *event.Unjudgeable
	switch {
	case err == nil:
		return data, nil
	case errors.As(err, &permanent):
		return nil, &event.Unjudgeable{Reason: permanent.Reason, Err: fmt.Errorf("fetch %s: %w", what, permanent.Err)}
	case ctx.Err() != nil: // the caller cancelled
		return nil, fmt.Errorf("fetch %s: %w", what, ctx.Err())
	case limited.Err() != nil || errors.Is(err, context.DeadlineExceeded):
		return nil, fmt.Errorf("fetch %s: not done in %v, allow more with --fetch-timeout: %w", what, f.timeout, context.DeadlineExceeded)
	}
	return nil, fmt.Errorf("fetch %s: %w", what, err)
}

// unjudgeable returns the error of an upload that can never be fetched.
func unjudgeable(format string, args ...any) error {
	return &event.Unjudgeable{Reason: event.FetchFailed, Err: fmt.Errorf(format, args...)}
}

// tooLarge returns the error of an upload of size bytes; size is a number or a text.
func tooLarge(size any, maxBytes int64) error {
	return &event.Unjudgeable{
		Reason: event.TooLarge,
		Err:    fmt.Errorf("it has %v bytes, wanted at most %d: allow more with --max-upload-bytes", size, maxBytes),
	}
}

// truncate bounds a text from outside, so that a decision fits a message.
func truncate(text string, most int) string {
	text = strings.ToValidUTF8(text, "�")
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
