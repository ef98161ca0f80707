package fetch

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"moderator/internal/event"
)

func TestFetchReturnsTheBody(t *testing.T) {
	var connections atomic.Int64
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Cookie") != "" || r.Header.Get("Referer") != "" || r.Header.Get("Accept-Encoding") != "identity" {
			t.Errorf("headers are %v", r.Header)
		}
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
		if r.URL.Path == "/moved" {
			http.Redirect(w, r, "/a?signature=1", http.StatusFound)
			return
		}
		_, _ = io.WriteString(w, "the picture of "+r.URL.RequestURI())
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	f := newFetcher(t, local(s.Listener.Addr().String()))
	for path, want := range map[string]string{"/a": "/a", "/a%2Fb?x=1": "/a%2Fb?x=1", "/moved": "/a?signature=1"} {
		data, err := fetchURL(t, f, s.URL+path)
		require.NoError(t, err)
		require.Equal(t, "the picture of "+want, data)
	}
	require.EqualValues(t, 1, connections.Load(), "connections are reused")
}

func TestStatusDecidesWhetherToTryAgain(t *testing.T) {
	at := serve(t, func(w http.ResponseWriter, r *http.Request) {
		code, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
		w.WriteHeader(code)
		if code != http.StatusNoContent && code != http.StatusNotModified {
			_, _ = io.WriteString(w, secret)
		}
	})
	f := newFetcher(t, local(at))
	for _, code := range []int{201, 202, 204, 206, 300, 302, 304, 400, 401, 403, 404, 405, 410, 416, 418, 451} {
		_, err := fetchURL(t, f, fmt.Sprintf("http://%s/%d?%s", at, code, secret))
		requireUnjudgeable(t, err, event.FetchFailed, fmt.Sprintf("fetch http://%s/%d: the server answered %[2]d %s, wanted 200 OK", at, code, http.StatusText(code)))
	}
	for _, code := range []int{408, 425, 429, 500, 502, 503, 504, 599} {
		_, err := fetchURL(t, f, fmt.Sprintf("http://%s/%d?%s", at, code, secret))
		requireRetry(t, err, fmt.Sprintf("fetch http://%s/%d: the server answered %[2]d", at, code))
	}
}

func TestRedirectsAreCounted(t *testing.T) {
	at := serve(t, func(w http.ResponseWriter, r *http.Request) {
		left, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
		if left > 0 {
			http.Redirect(w, r, fmt.Sprintf("/%d", left-1), http.StatusTemporaryRedirect)
		} else if r.URL.Path == "/loop" {
			http.Redirect(w, r, "/loop", http.StatusMovedPermanently)
		}
	})
	f := newFetcher(t, local(at))
	_, err := fetchURL(t, f, "http://"+at+"/5")
	require.NoError(t, err)
	for _, path := range []string{"/6", "/loop"} {
		_, err = fetchURL(t, f, "http://"+at+path)
		requireUnjudgeable(t, err, event.FetchFailed, "it redirects more than 5 times")
	}
	cfg := local(at)
	cfg.MaxRedirects = 0
	_, err = fetchURL(t, newFetcher(t, cfg), "http://"+at+"/1")
	requireUnjudgeable(t, err, event.FetchFailed, "it redirects more than 0 times")
}

func TestSizesAreLimited(t *testing.T) {
	at := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/endless" {
			for err := error(nil); err == nil; {
				_, err = w.Write(make([]byte, 1000))
			}
			return
		}
		size, _ := strconv.Atoi(r.URL.Query().Get("size"))
		if r.URL.Path == "/announced" {
			w.Header().Set("Content-Length", strconv.Itoa(size))
			size = min(size, 5000)
		} else {
			w.(http.Flusher).Flush()
		}
		_, _ = w.Write(bytes.Repeat([]byte("x"), size))
	})
	f := newFetcher(t, local(at))
	for _, path := range []string{"announced", "chunked"} {
		for _, size := range []int{0, 1, 999, 1000} {
			data, err := fetchURL(t, f, fmt.Sprintf("http://%s/%s?size=%d", at, path, size))
			require.NoError(t, err)
			require.Len(t, data, size)
		}
	}
	_, err := fetchURL(t, f, "http://"+at+"/announced?size=1001")
	requireUnjudgeable(t, err, event.TooLarge, "it has 1001 bytes, wanted at most 1000: allow more with --max-upload-bytes")
	_, err = fetchURL(t, f, "http://"+at+"/announced?size=4000000000000")
	requireUnjudgeable(t, err, event.TooLarge, "it has 4000000000000 bytes")
	_, err = fetchURL(t, f, "http://"+at+"/chunked?size=1001")
	requireUnjudgeable(t, err, event.TooLarge, "it has over 1000 bytes")
	_, err = fetchURL(t, f, "http://"+at+"/endless")
	requireUnjudgeable(t, err, event.TooLarge, "it has over 1000 bytes")
}

// Bytes beyond the announced length are no part of the file.
func TestMoreThanAnnouncedIsLeftOut(t *testing.T) {
	at := serve(t, raw(t, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdefgh"))
	data, err := fetchURL(t, newFetcher(t, local(at)), "http://"+at+"/a")
	require.NoError(t, err)
	require.Equal(t, "abc", data)
}

func TestBrokenAnswersAreWorthARedelivery(t *testing.T) {
	for answer, text := range map[string]string{
		"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + secret:                 "the connection ended before the answer did",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n" + secret:    "the connection ended before the answer did",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + secret + "\r\n": "not valid HTTP",
		"":                           "the connection ended before the answer did",
		"SSH-2.0-" + secret + "\r\n": "not valid HTTP",
		"HTTP/1.1 200 OK\r\n" + secret + "\r\n\r\n":                                    "not valid HTTP",
		"HTTP/1.1 302 Found\r\nLocation: ://" + secret + "\r\n\r\n":                    "not valid HTTP",
		"HTTP/1.1 200 OK\r\nA: " + strings.Repeat(secret, maxHeaderBytes) + "\r\n\r\n": "",
	} {
		at := serve(t, raw(t, answer))
		_, err := fetchURL(t, newFetcher(t, local(at)), "http://"+at+"/a")
		requireRetry(t, err, text)
	}
	f := newFetcher(t, local("127.0.0.1:1"))
	_, err := fetchURL(t, f, "http://127.0.0.1:1/")
	requireRetry(t, err, "connection refused")
	f.web.dialer.Resolver = resolver(t, func(string) []string { return nil })
	require.ErrorContains(t, f.AllowHosts([]string{"https://gone.example.com"}), "https://gone.example.com")
	require.NoError(t, f.AllowHosts([]string{"gone.example.com"}))
	_, err = fetchURL(t, f, "http://gone.example.com/")
	requireRetry(t, err, "lookup gone.example.com")
}

func TestCompressedAnswersAreRefused(t *testing.T) {
	var bomb bytes.Buffer
	packed := gzip.NewWriter(&bomb)
	_, _ = packed.Write(make([]byte, 10<<20))
	require.NoError(t, packed.Close())
	at := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", r.URL.Query().Get("as"))
		_, _ = w.Write(bomb.Bytes())
	})
	f := newFetcher(t, local(at))
	for _, encoding := range []string{"gzip", "br", "identity,gzip", secret} {
		_, err := f.Fetch(t.Context(), event.Upload{URL: "http://" + at + "/?as=" + encoding}, 1<<20, nil)
		requireUnjudgeable(t, err, event.FetchFailed, "wanted no Content-Encoding")
	}
	data, err := f.Fetch(t.Context(), event.Upload{URL: "http://" + at + "/?as=identity"}, 1<<20, nil)
	require.NoError(t, err)
	require.Equal(t, bomb.Bytes(), data)
}

func TestSlowServers(t *testing.T) {
	reached := make(chan struct{}, 1)
	at := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			_, _ = io.WriteString(w, secret)
			w.(http.Flusher).Flush()
		}
		if r.URL.RawQuery == "cancel" {
			reached <- struct{}{}
		}
		<-r.Context().Done()
	})
	for _, path := range []string{"/header", "/body"} {
		cfg := local(at)
		cfg.Timeout = 100 * time.Millisecond
		_, err := fetchURL(t, newFetcher(t, cfg), "http://"+at+path)
		requireRetry(t, err, "not done in 100ms, allow more with --fetch-timeout")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotErrorIs(t, err, context.Canceled)

		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-reached
			cancel()
		}()
		_, err = newFetcher(t, local(at)).Fetch(ctx, event.Upload{URL: "http://" + at + path + "?cancel"}, 1000, nil)
		requireRetry(t, err, "context canceled")
		require.ErrorIs(t, err, context.Canceled)
	}
	f := newFetcher(t, local(at))
	f.web.transport.ResponseHeaderTimeout = 50 * time.Millisecond
	_, err := fetchURL(t, f, "http://"+at+"/header")
	requireRetry(t, err, "the server did not answer in time")
}

func TestHTTPSWantsACertificateThatIsTrusted(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) }))
	s.EnableHTTP2 = true
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	at := s.Listener.Addr().String()
	_, err := fetchURL(t, newFetcher(t, local(at)), "https://"+at+"/")
	requireRetry(t, err, "certificate")
	f := newFetcher(t, local(at))
	f.web.transport.TLSClientConfig = &tls.Config{RootCAs: s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}
	data, err := fetchURL(t, f, "https://"+at+"/")
	require.NoError(t, err)
	require.Equal(t, "HTTP/2.0", data)
	plainHTTP := serve(t, raw(t, secret))
	_, err = fetchURL(t, newFetcher(t, local(plainHTTP)), "https://"+plainHTTP+"/")
	requireRetry(t, err, "")
}
