package fetch

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/azureblob" // azblob://
	_ "gocloud.dev/blob/gcsblob"   // gs://
	_ "gocloud.dev/blob/s3blob"    // s3://
	"gocloud.dev/gcerrors"
)

// bucketSchemes are the URL schemes of Amazon S3 (and stores with its protocol), Google Cloud Storage and Azure Blob Storage.
var bucketSchemes = []string{"s3", "gs", "azblob"}

// maxKeyBytes is the longest key that all three stores allow.
const maxKeyBytes = 1024

// buckets reads from buckets of cloud stores. Each store's own client finds the credentials: a workload's identity, the
// environment, or a file.
type buckets struct {
	open map[string]*blob.Bucket // by "scheme://name"
}

// parseBucket reads an entry of the list: a bucket's URL with the client's options as its query, such as
// s3://uploads?region=eu-central-1. It returns "scheme://name", by which uploads choose the bucket, without options.
func parseBucket(entry string) (name string, err error) {
	u, err := url.Parse(entry)
	if err != nil || !slices.Contains(bucketSchemes, u.Scheme) || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.User != nil {
		return "", fmt.Errorf("fetch-bucket is %q, wanted a bucket such as s3://uploads?region=eu-central-1, gs://uploads or azblob://uploads", withoutSecrets(entry))
	}
	return u.Scheme + "://" + u.Host, nil
}

// parseBuckets returns the entries by name.
func parseBuckets(list []string) (map[string]string, error) {
	entries := map[string]string{}
	var errs []error
	for _, entry := range list {
		name, err := parseBucket(entry)
		if err == nil && entries[name] != "" {
			err = fmt.Errorf("fetch-bucket has %s twice", name)
		}
		errs = append(errs, err)
		entries[name] = entry
	}
	return entries, errors.Join(errs...)
}

// newBuckets creates the clients. It sends no requests.
func newBuckets(list []string) (*buckets, error) {
	entries, err := parseBuckets(list)
	if err != nil {
		return nil, err
	}
	b := &buckets{open: map[string]*blob.Bucket{}}
	for name, entry := range entries {
		// The client outlives any caller's context.
		if b.open[name], err = blob.OpenBucket(context.Background(), entry); err != nil {
			// The error quotes the whole entry, and its options may be secrets.
			return nil, fmt.Errorf("fetch-bucket %s: %s", name, strings.ReplaceAll(err.Error(), entry, name))
		}
	}
	return b, nil
}

// isBucket reports whether a URL has a store's scheme.
func isBucket(text string) bool {
	scheme, _, ok := strings.Cut(text, "://")
	return ok && slices.Contains(bucketSchemes, strings.ToLower(scheme))
}

// get returns the object whose key is the URL's path.
func (b *buckets) get(ctx context.Context, text string, mem memory) ([]byte, error) {
	u, err := url.Parse(text)
	if err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, unjudgeable("the URL cannot be read, wanted s3://bucket/key without a query: percent-encode ?, # and %% in the key")
	}
	name := bucketName(text)
	bucket, ok := b.open[name]
	if !ok {
		return nil, unjudgeable("the bucket is not allowed: allow it with --fetch-bucket %s", truncate(name, 255))
	}
	key := strings.TrimPrefix(u.Path, "/")
	if key == "" || len(key) > maxKeyBytes {
		return nil, unjudgeable("the key is %d bytes, wanted 1 to %d", len(key), maxKeyBytes)
	}
	reader, err := bucket.NewReader(ctx, key, nil)
	if err != nil {
		return nil, storeError(err)
	}
	defer func() { _ = reader.Close() }() // unread data closes the connection
	data, err := mem.readAll(reader, reader.Size())
	if err != nil {
		return nil, storeError(err)
	}
	return data, nil
}

// storeError keeps only the code of a store's error: the clients' texts quote the store's answers and signed addresses.
func storeError(err error) error {
	switch code := gcerrors.Code(err); code {
	case gcerrors.NotFound, gcerrors.PermissionDenied, gcerrors.InvalidArgument:
		return unjudgeable("the store refused it: %s", code)
	default:
		return safeError(err)
	}
}

func (b *buckets) close() {
	for _, bucket := range b.open {
		_ = bucket.Close() // nothing was written
	}
}
