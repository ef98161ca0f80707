package fetch

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/stretchr/testify/require"
	"gocloud.dev/blob"

	"moderator/internal/event"
)

// s3 starts an S3 server with the buckets "uploads" and "secret" and returns the URL of the first, with the client's
// options. While broken is set, the server answers 503.
func s3(t *testing.T, files map[string][]byte) (bucket string, broken *atomic.Bool) {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", "id")
	t.Setenv("AWS_SECRET_ACCESS_KEY", secret)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	broken = new(atomic.Bool)
	handler := gofakes3.New(s3mem.New()).Server()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if broken.Load() {
			http.Error(w, secret, http.StatusServiceUnavailable)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	for _, name := range []string{"uploads", "secret"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, server.URL+"/"+name, nil)
		require.NoError(t, err)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, http.StatusOK, response.StatusCode)
	}
	bucket = "s3://uploads?region=us-east-1&use_path_style=true&endpoint=" + server.URL
	b, err := blob.OpenBucket(t.Context(), bucket)
	require.NoError(t, err)
	for key, data := range files {
		require.NoError(t, b.WriteAll(t.Context(), key, data, nil))
	}
	require.NoError(t, b.Close())
	return bucket, broken
}

func TestFetchFromS3(t *testing.T) {
	picture := bytes.Repeat([]byte("picture"), 1000)
	bucket, broken := s3(t, map[string][]byte{"2026/a b.jpg": picture, "odd?#%": []byte("odd")})
	f := newFetcher(t, Config{Buckets: []string{bucket}, Timeout: 5 * time.Second})
	fetch := func(url string, most int64) ([]byte, error) {
		return f.Fetch(t.Context(), event.Upload{URL: url}, most, nil)
	}
	for url, want := range map[string][]byte{
		"s3://uploads/2026/a%20b.jpg": picture,
		"s3://uploads/2026/a b.jpg":   picture,
		"S3://uploads/odd%3F%23%25":   []byte("odd"),
	} {
		data, err := fetch(url, int64(len(picture)))
		require.NoError(t, err, url)
		require.Equal(t, want, data, url)
	}
	for name, test := range map[string]struct {
		url    string
		most   int64
		reason event.Reason
		want   string
	}{
		"not there":          {"s3://uploads/none.jpg", 1 << 20, event.FetchFailed, "the store refused it: NotFound"},
		"too large":          {"s3://uploads/2026/a%20b.jpg", int64(len(picture)) - 1, event.TooLarge, "it has 7000 bytes, wanted at most 6999"},
		"another bucket":     {"s3://secret/a.jpg", 1 << 20, event.FetchFailed, "the bucket is not allowed: allow it with --fetch-bucket s3://secret"},
		"another store":      {"gs://uploads/a.jpg", 1 << 20, event.FetchFailed, "the bucket is not allowed: allow it with --fetch-bucket gs://uploads"},
		"options of its own": {"s3://uploads/a.jpg?endpoint=http://169.254.169.254", 1 << 20, event.FetchFailed, "wanted s3://bucket/key without a query"},
		"credentials":        {"s3://id:" + secret + "@uploads/a.jpg", 1 << 20, event.FetchFailed, "without a query"},
		"no key":             {"s3://uploads/", 1 << 20, event.FetchFailed, "the key is 0 bytes, wanted 1 to 1024"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := fetch(test.url, test.most)
			var permanent *event.Unjudgeable
			require.ErrorAs(t, err, &permanent)
			require.Equal(t, test.reason, permanent.Reason)
			require.ErrorContains(t, err, test.want)
			require.NotContains(t, err.Error(), secret)
		})
	}

	// A store that is down is worth a redelivery.
	broken.Store(true)
	_, err := fetch("s3://uploads/2026/a%20b.jpg", 1<<20)
	var permanent *event.Unjudgeable
	require.Error(t, err)
	require.NotErrorAs(t, err, &permanent)
	require.NotContains(t, err.Error(), secret)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = f.Fetch(ctx, event.Upload{URL: "s3://uploads/2026/a%20b.jpg"}, 1<<20, nil)
	require.ErrorIs(t, err, context.Canceled)
}

// Each store has its client, which sends nothing when it is created.
func TestEveryStoreOpens(t *testing.T) {
	t.Setenv("AZURE_STORAGE_ACCOUNT", "acme")
	t.Setenv("AZURE_STORAGE_SAS_TOKEN", "sv=none")
	newFetcher(t, Config{
		Buckets: []string{"s3://uploads?region=eu-central-1", "gs://uploads?anonymous=true", "azblob://uploads"}, Timeout: time.Second,
	})
}

func TestInvalidBuckets(t *testing.T) {
	for entry, want := range map[string]string{
		"uploads":                    `fetch-bucket is "uploads", wanted a bucket such as s3://uploads`,
		"s3://key:hidden@a?x=hidden": `fetch-bucket is "s3://a", wanted a bucket`,
		"s3://":                      "wanted a bucket",
		"s3://uploads/folder":        "wanted a bucket",
		"file:///etc":                "wanted a bucket",
		"https://uploads.s3/":        "wanted a bucket",
		"s3://key:s@uploads":         "wanted a bucket",
		"s3://twice?region=here":     "fetch-bucket has s3://twice twice",
	} {
		cfg := Config{Buckets: []string{"s3://twice", entry}, Timeout: time.Second}
		require.ErrorContains(t, cfg.Validate(), want, entry)
	}
}
