package fetch

import (
	"bytes"
	"context"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"moderator/internal/event"
)

// fetchReserving fetches with free bytes of memory. It returns the reservations that Fetch tried.
func fetchReserving(ctx context.Context, f *Fetcher, u event.Upload, most, free int64) (data []byte, reserved []int64, err error) {
	data, err = f.Fetch(ctx, u, most, func(bytes int64) bool {
		reserved = append(reserved, bytes)
		return bytes <= free
	})
	return data, reserved, err
}

func TestReservations(t *testing.T) {
	const size, most = 300_000, 1 << 20
	file := bytes.Repeat([]byte("x"), size)
	at := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/announced" {
			w.Header().Set("Content-Length", strconv.Itoa(size))
		}
		_, _ = w.Write(file)
	})
	web := newFetcher(t, local(at))
	s := newStored(t, 10*time.Second)
	s.put(t, "n", size)
	bucket, _ := s3(t, map[string][]byte{"n": file})
	cloud := newFetcher(t, Config{Buckets: []string{bucket}, Timeout: 5 * time.Second})
	for name, c := range map[string]struct {
		f      *Fetcher
		upload event.Upload
		first  int64 // reservation
		last   int64
		wants  int64 // if not admitted
	}{
		"announced by a host": {web, event.Upload{URL: "http://" + at + "/announced"}, size, size, size},
		"not announced":       {web, event.Upload{URL: "http://" + at + "/"}, firstBytes, 8 * firstBytes, most},
		"an object":           {s.Fetcher, event.Upload{Object: &event.Object{Bucket: "photos", Name: "n"}}, size, size, size},
		"a bucket's key":      {cloud, event.Upload{URL: "s3://uploads/n"}, size, size, size},
	} {
		t.Run(name, func(t *testing.T) {
			data, reserved, err := fetchReserving(t.Context(), c.f, c.upload, most, most)
			require.NoError(t, err)
			require.Equal(t, file, data)
			require.Contains(t, reserved, c.first)
			require.Equal(t, c.last, reserved[len(reserved)-1])
			_, _, err = fetchReserving(t.Context(), c.f, c.upload, most, size/2)
			var refused *event.NotAdmitted
			require.ErrorAs(t, err, &refused)
			require.Equal(t, c.wants, refused.Bytes)
			data, _, err = fetchReserving(t.Context(), c.f, c.upload, most, refused.Bytes)
			require.NoError(t, err, "that much memory is enough")
			require.Equal(t, file, data)
			_, _, err = fetchReserving(t.Context(), c.f, c.upload, size-1, most)
			requireUnjudgeable(t, err, event.TooLarge, "wanted at most 299999")
		})
	}
}
