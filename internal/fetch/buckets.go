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

// bucketSchemes are the stores whose URLs uploads may give: Amazon S3 and what speaks its protocol, Google Cloud Storage,
// Azure Blob Storage.
var bucketSchemes = []string{"s3", "gs", "azblob"}

// maxKeyBytes is the longest key that all three stores take.
const maxKeyBytes = 1024

// buckets reads cloud stores' buckets, by their own clients with the credentials that those find: a workload's identity,
// the environment, a file.
type buckets struct {
	open map[string]*blob.Bucket // by "scheme://name"
}

// parseBucket reads an entry of the list: a bucket's URL, whose query has the client's options, such as
// s3://uploads?region=eu-central-1. Uploads name "scheme://name" and have no say in the options.
func parseBucket(entry string) (name string, err error) {
	u, err := url.Parse(entry)
	if err != nil || !slices.Contains(bucketSchemes, u.Scheme) || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.User != nil {
		return "", fmt.Errorf("fetch-bucket is %q, wanted a bucket such as s3://uploads?region=eu-central-1, gs://uploads or azblob://uploads", withoutSecrets(entry))
	}
	return u.Scheme + "://" + u.Host, nil
}

// parseBuckets returns the entries by their names.
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

// newBuckets opens the buckets, which asks nothing of their stores yet.
func newBuckets(list []string) (*buckets, error) {
	entries, err := parseBuckets(list)
	if err != nil {
		return nil, err
	}
	b := &buckets{open: map[string]*blob.Bucket{}}
	for name, entry := range entries {
		// The clients live as long as the process: no context of a caller's.
		if b.open[name], err = blob.OpenBucket(context.Background(), entry); err != nil {
			// The error quotes the whole entry, and its options may be secrets.
			return nil, fmt.Errorf("fetch-bucket %s: %s", name, strings.ReplaceAll(err.Error(), entry, name))
		}
	}
	return b, nil
}

// isBucket says whether a URL is one of a store's own.
func isBucket(text string) bool {
	scheme, _, ok := strings.Cut(text, "://")
	return ok && slices.Contains(bucketSchemes, strings.ToLower(scheme))
}

// get returns the bytes of a key, which the URL has as its path.
func (b *buckets) get(ctx context.Context, text string, within room) ([]byte, error) {
	u, err := url.Parse(text)
	if err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, failed("the URL cannot be read, wanted s3://bucket/key without a query: percent-encode what a key has of ?, # and %%")
	}
	name := bucketName(text)
	bucket, ok := b.open[name]
	if !ok {
		return nil, failed("the bucket is not allowed: allow it with --fetch-bucket %s", cut(name, 255))
	}
	key := strings.TrimPrefix(u.Path, "/")
	if key == "" || len(key) > maxKeyBytes {
		return nil, failed("the key is %d bytes, wanted 1 to %d", len(key), maxKeyBytes)
	}
	reader, err := bucket.NewReader(ctx, key, nil)
	if err != nil {
		return nil, refused(err)
	}
	defer func() { _ = reader.Close() }() // what is not read ends the connection
	data, err := within.readAll(reader, reader.Size())
	if err != nil {
		return nil, refused(err)
	}
	return data, nil
}

// refused keeps of a store's error its kind: the clients' texts quote what the store sent, and addresses with signatures.
func refused(err error) error {
	switch code := gcerrors.Code(err); code {
	case gcerrors.NotFound, gcerrors.PermissionDenied, gcerrors.InvalidArgument:
		return failed("the store refused it: %s", code)
	default:
		return plain(err)
	}
}

// close gives the clients up.
func (b *buckets) close() {
	for _, bucket := range b.open {
		_ = bucket.Close() // nothing was written
	}
}
