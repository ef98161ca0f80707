package fetch

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"moderator/internal/event"
	"moderator/internal/testenv"
)

// stored is a server with the bucket "photos", and its Fetcher.
type stored struct {
	nc     *nats.Conn
	js     jetstream.JetStream
	photos jetstream.ObjectStore
	*Fetcher
}

func newStored(t *testing.T, timeout time.Duration) stored {
	t.Helper()
	nc, err := nats.Connect(testenv.NATS(t))
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	photos, err := js.CreateObjectStore(t.Context(), jetstream.ObjectStoreConfig{Bucket: "photos"})
	require.NoError(t, err)
	f, err := New(Config{Timeout: timeout}, js)
	require.NoError(t, err)
	t.Cleanup(f.Close)
	f.objects.again = time.Millisecond
	return stored{nc, js, photos, f}
}

func (s stored) put(t *testing.T, name string, size int) *jetstream.ObjectInfo {
	t.Helper()
	info, err := s.photos.Put(t.Context(), jetstream.ObjectMeta{
		Name: name, Opts: &jetstream.ObjectMetaOptions{ChunkSize: 1000},
	}, bytes.NewReader(bytes.Repeat([]byte("x"), size)))
	require.NoError(t, err)
	return info
}

// describe writes an object's description directly, because the client library would refuse an invalid one.
func (s stored) describe(t *testing.T, info jetstream.ObjectInfo) {
	t.Helper()
	data, err := json.Marshal(info)
	require.NoError(t, err)
	msg := nats.NewMsg("$O.photos.M." + base64.URLEncoding.EncodeToString([]byte(info.Name)))
	msg.Header.Set("Nats-Rollup", "sub")
	msg.Data = data
	_, err = s.js.PublishMsg(t.Context(), msg)
	require.NoError(t, err)
}

func (s stored) fetch(ctx context.Context, bucket, name string) ([]byte, error) {
	return s.Fetch(ctx, event.Upload{Object: &event.Object{Bucket: bucket, Name: name}}, 5000, nil)
}

func TestObjectsAreRead(t *testing.T) {
	s := newStored(t, 10*time.Second)
	for _, size := range []int{0, 1, 999, 1000, 1001, 5000} {
		s.put(t, "a/b c.jpg", size)
		data, err := s.fetch(t.Context(), "photos", "a/b c.jpg")
		require.NoError(t, err)
		require.Equal(t, size, bytes.Count(data, []byte("x")))
		require.Len(t, data, size)
	}
	s.put(t, "large", 5001)
	_, err := s.fetch(t.Context(), "photos", "large")
	requireUnjudgeable(t, err, event.TooLarge, `fetch object "large" of bucket "photos": it has 5001 bytes, wanted at most 5000`)
}

func TestObjectsThatDoNotExist(t *testing.T) {
	s := newStored(t, 10*time.Second)
	s.put(t, "deleted", 1)
	require.NoError(t, s.photos.Delete(t.Context(), "deleted"))
	for _, name := range []string{"deleted", "never", strings.Repeat("n", maxNameBytes)} {
		_, err := s.fetch(t.Context(), "photos", name)
		requireUnjudgeable(t, err, event.FetchFailed, "object not found")
	}
	for bucket, text := range map[string]string{
		"videos": "bucket not found", strings.Repeat("b", maxBucketBytes): "bucket not found", "a.b": "invalid", "photos>": "invalid", "": "invalid",
	} {
		_, err := s.fetch(t.Context(), bucket, "a")
		requireUnjudgeable(t, err, event.FetchFailed, text)
	}
}

// The server closes the connection of a client whose subject is too long, which would interrupt all uploads.
func TestLongNamesDoNotEndTheConnection(t *testing.T) {
	s := newStored(t, 10*time.Second)
	_, err := s.fetch(t.Context(), "photos", strings.Repeat("n", 100_000))
	requireUnjudgeable(t, err, event.FetchFailed, "100000 bytes, wanted at most")
	_, err = s.fetch(t.Context(), strings.Repeat("b", 100_000), "a")
	requireUnjudgeable(t, err, event.FetchFailed, "100000 and 1 bytes, wanted at most")
	s.put(t, strings.Repeat("n", maxNameBytes), 10)
	data, err := s.fetch(t.Context(), "photos", strings.Repeat("n", maxNameBytes))
	require.NoError(t, err)
	require.Len(t, data, 10)
	require.Zero(t, s.nc.Stats().Reconnects)
}

func TestLinksAreFollowedOnce(t *testing.T) {
	s := newStored(t, 10*time.Second)
	info := s.put(t, "a", 10)
	_, err := s.photos.AddLink(t.Context(), "link", info)
	require.NoError(t, err)
	data, err := s.fetch(t.Context(), "photos", "link")
	require.NoError(t, err)
	require.Len(t, data, 10)

	_, err = s.photos.AddBucketLink(t.Context(), "bucket", s.photos)
	require.NoError(t, err)
	_, err = s.fetch(t.Context(), "photos", "bucket")
	requireUnjudgeable(t, err, event.FetchFailed, "name is required")

	for from, to := range map[string]string{"self": "self", "chain": "link", "gone": "never"} {
		s.describe(t, jetstream.ObjectInfo{Bucket: "photos", NUID: "N", ObjectMeta: jetstream.ObjectMeta{
			Name: from, Opts: &jetstream.ObjectMetaOptions{Link: &jetstream.ObjectLink{Bucket: "photos", Name: to}},
		}})
	}
	for _, name := range []string{"self", "chain"} {
		_, err = s.fetch(t.Context(), "photos", name)
		requireUnjudgeable(t, err, event.FetchFailed, "link to a link")
	}
	_, err = s.fetch(t.Context(), "photos", "gone")
	requireUnjudgeable(t, err, event.FetchFailed, "object not found")
	require.NoError(t, s.photos.Delete(t.Context(), "a"))
	_, err = s.fetch(t.Context(), "photos", "link")
	requireUnjudgeable(t, err, event.FetchFailed, "object not found")
}

func TestObjectsWithWrongDescriptions(t *testing.T) {
	s := newStored(t, 10*time.Second)
	info := s.put(t, "small", 6000)
	info.Size = 10
	s.describe(t, *info)
	_, err := s.fetch(t.Context(), "photos", "small")
	requireUnjudgeable(t, err, event.TooLarge, "over 5000 bytes")

	info = s.put(t, "other", 10)
	info.Digest = s.put(t, "another", 11).Digest
	s.describe(t, *info)
	_, err = s.fetch(t.Context(), "photos", "other")
	requireRetry(t, err, "digests do not match")

	info = s.put(t, "nameless", 10)
	info.NUID = ""
	s.describe(t, *info)
	_, err = s.fetch(t.Context(), "photos", "nameless")
	requireUnjudgeable(t, err, event.FetchFailed, "meta information invalid")
}

// lose deletes an object's chunks and keeps its description, as when the object is replaced while it is read.
func (s stored) lose(t *testing.T, name string) {
	t.Helper()
	info := s.put(t, name, 3000)
	stream, err := s.js.Stream(t.Context(), "OBJ_photos")
	require.NoError(t, err)
	require.NoError(t, stream.Purge(t.Context(), jetstream.WithPurgeSubject("$O.photos.C."+info.NUID)))
}

func TestObjectsWithoutChunks(t *testing.T) {
	s := newStored(t, 500*time.Millisecond)
	s.lose(t, "lost")
	_, err := s.fetch(t.Context(), "photos", "lost")
	requireRetry(t, err, `fetch object "lost" of bucket "photos": not done in 500ms`)
	require.ErrorIs(t, err, context.DeadlineExceeded)

	ctx, cancel := context.WithCancel(t.Context())
	reading, err := s.nc.Subscribe("$JS.API.CONSUMER.CREATE.OBJ_photos.>", func(*nats.Msg) { cancel() })
	require.NoError(t, err)
	t.Cleanup(func() { _ = reading.Unsubscribe() })
	_, err = s.fetch(ctx, "photos", "lost")
	requireRetry(t, err, "context canceled")
	require.ErrorIs(t, err, context.Canceled)
}

func TestUnreachableStoreIsWorthARedelivery(t *testing.T) {
	s := newStored(t, 10*time.Second)
	s.nc.Close()
	_, err := s.fetch(t.Context(), "photos", "a")
	requireRetry(t, err, "connection closed")
}

// An upload may name an object before each replica of the store has it.
func TestObjectsThatAppearLater(t *testing.T) {
	s := newStored(t, 10*time.Second)
	s.objects.again = 2 * time.Second
	var once sync.Once
	looked := make(chan struct{})
	watch, err := s.nc.Subscribe("$JS.API.DIRECT.GET.OBJ_photos.>", func(*nats.Msg) { once.Do(func() { close(looked) }) })
	require.NoError(t, err)
	t.Cleanup(func() { _ = watch.Unsubscribe() })
	got := make(chan error, 1)
	go func() {
		_, err := s.fetch(t.Context(), "photos", "new")
		got <- err
	}()
	<-looked
	s.put(t, "new", 10)
	require.NoError(t, <-got)
}
