package fetch

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
	"gocloud.dev/gcerrors"

	"moderator/internal/dependency"
	"moderator/internal/event"
)

// Dependency returns the store of an upload's bytes: NATS' object store or an allowed bucket. It returns nil for other URLs
// and for buckets that are not allowed.
func (f *Fetcher) Dependency(u event.Upload) *dependency.Dependency {
	switch {
	case u.Object != nil:
		return &dependency.Dependency{Name: "object_store", Probe: func(ctx context.Context) error { return f.objects.probe(ctx, u.Object.Bucket) }}
	case isBucket(u.URL):
		if name := bucketName(u.URL); f.buckets.open[name] != nil {
			return &dependency.Dependency{Name: name, Probe: func(ctx context.Context) error { return f.buckets.probe(ctx, name) }}
		}
	}
	return nil
}

// probe looks the bucket up. Any answer proves that the store works, even that the bucket does not exist: uploads choose
// its name.
func (o *objects) probe(ctx context.Context, bucket string) error {
	_, err := o.js.ObjectStore(ctx, bucket)
	var answer jetstream.JetStreamError
	if errors.As(err, &answer) && (answer.APIError() == nil || answer.APIError().Code < http.StatusInternalServerError) {
		return nil
	}
	return err
}

// probeKey is looked up in buckets. It need not exist.
const probeKey = "moderator-probe"

func (b *buckets) probe(ctx context.Context, name string) error {
	_, err := b.open[name].Exists(ctx, probeKey)
	switch code := gcerrors.Code(err); code {
	case gcerrors.OK, gcerrors.NotFound, gcerrors.PermissionDenied, gcerrors.InvalidArgument:
		return nil
	default:
		return fmt.Errorf("the store does not answer (%s): %w", code, safeError(err))
	}
}

// bucketName returns "scheme://name" of a bucket's URL, or "" if the URL is invalid.
func bucketName(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Scheme) + "://" + u.Host
}
