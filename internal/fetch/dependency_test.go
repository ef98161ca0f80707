package fetch

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"moderator/internal/devstack"
	"moderator/internal/event"
)

func TestBucketThatIsAway(t *testing.T) {
	bucket, broken := s3(t, nil)
	f := newFetcher(t, Config{Buckets: []string{bucket}, Timeout: 5 * time.Second})
	d := f.Dependency(event.Upload{URL: "S3://uploads/a.jpg"})
	require.Equal(t, "s3://uploads", d.Name)
	require.NoError(t, d.Probe(t.Context()), "it answers, although the key does not exist")
	broken.Store(true)
	err := d.Probe(t.Context())
	require.Error(t, err)
	require.NotContains(t, err.Error(), secret)
	broken.Store(false)
	require.NoError(t, d.Probe(t.Context()))

	for _, own := range []string{"https://cdn.example.com/a.jpg", "s3://secret/a.jpg", "gs://uploads/a.jpg", "s3://%zz/a.jpg"} {
		require.Nil(t, f.Dependency(event.Upload{URL: own}), own)
	}
}

// No bucket name of an upload counts as an outage.
func TestObjectStoreThatIsAway(t *testing.T) {
	server, err := devstack.StartNATS(t.Context(), devstack.NATSOptions{StoreDir: t.TempDir(), Listen: "127.0.0.1:0"})
	require.NoError(t, err)
	defer server.Shutdown()
	nc, err := nats.Connect(server.URL)
	require.NoError(t, err)
	defer nc.Close()
	js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(200*time.Millisecond))
	require.NoError(t, err)
	f, err := New(Config{Timeout: time.Second}, js)
	require.NoError(t, err)
	defer f.Close()
	for _, bucket := range []string{"none", "", "a.b", "a b", "*", ">", "\x00"} {
		d := f.Dependency(event.Upload{Object: &event.Object{Bucket: bucket, Name: "n"}})
		require.Equal(t, "object_store", d.Name)
		require.NoError(t, d.Probe(t.Context()), bucket)
	}
	server.Shutdown()
	require.Error(t, f.Dependency(event.Upload{Object: &event.Object{Bucket: "none", Name: "n"}}).Probe(t.Context()))
}
