package fetch

import (
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/event"
)

func fetchURL(t *testing.T, f *Fetcher, url string) (string, error) {
	t.Helper()
	data, err := f.Fetch(t.Context(), event.Upload{URL: url}, 1000, nil)
	return string(data), err
}

func TestNamesOfThisMachineAreRefused(t *testing.T) {
	var requests atomic.Int64
	at := port(serve(t, func(http.ResponseWriter, *http.Request) { requests.Add(1) }))
	for _, name := range []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]"} {
		cfg := local(name + at)
		cfg.AllowCIDRs = nil
		_, err := fetchURL(t, newFetcher(t, cfg), "http://"+name+at+"/")
		requireUnjudgeable(t, err, event.FetchFailed, "is not public: allow its network with --fetch-allow-cidr")
	}
	require.Zero(t, requests.Load())
}

func TestNamesThatLeadToPrivateAddressesAreRefused(t *testing.T) {
	var requests atomic.Int64
	at := port(serve(t, func(http.ResponseWriter, *http.Request) { requests.Add(1) }))
	for _, address := range []string{"127.0.0.1", "127.0.0.2", "0.0.0.0", "169.254.169.254", "10.0.0.1", "::1", "::ffff:127.0.0.1", "fd00::1", "64:ff9b::7f00:1"} {
		cfg := local("*.example.com" + at)
		cfg.AllowCIDRs = nil
		f := newFetcher(t, cfg)
		f.web.dialer.Resolver = resolver(t, func(string) []string { return []string{address} })
		_, err := fetchURL(t, f, "http://cdn.example.com"+at+"/")
		requireUnjudgeable(t, err, event.FetchFailed, "is not public")
	}
	require.Zero(t, requests.Load())
}

// DNS rebinding: a name that is public at the first look-up and private at the second is refused.
func TestARebindingNameIsRefused(t *testing.T) {
	var requests, lookups atomic.Int64
	at := port(serve(t, func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		w.Header().Set("Connection", "close")
		_, _ = io.WriteString(w, "picture")
	}))
	f := newFetcher(t, local("*.example.com"+at))
	f.web.dialer.Resolver = resolver(t, func(string) []string {
		lookups.Add(1)
		if requests.Load() == 0 {
			return []string{"127.0.0.1"} // stands for a public address: it is excepted
		}
		return []string{"127.0.0.2"}
	})
	data, err := fetchURL(t, f, "http://a.example.com"+at+"/")
	require.NoError(t, err)
	require.Equal(t, "picture", data)
	_, err = fetchURL(t, f, "http://a.example.com"+at+"/")
	requireUnjudgeable(t, err, event.FetchFailed, "127.0.0.2 is not public")
	require.EqualValues(t, 1, requests.Load())
	require.Greater(t, lookups.Load(), int64(1))
}

func TestRedirectsAreCheckedLikeTheFirstURL(t *testing.T) {
	var target atomic.Value
	var requests atomic.Int64
	other := serve(t, func(http.ResponseWriter, *http.Request) { requests.Add(1) })
	first := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", target.Load().(string))
		w.WriteHeader(http.StatusFound)
		_, _ = io.WriteString(w, secret)
	})
	cfg := local(first, "127.0.0.2"+port(other), "metadata.example.com"+port(other))
	f := newFetcher(t, cfg)
	f.web.dialer.Resolver = resolver(t, func(string) []string { return []string{"169.254.169.254"} })
	for to, text := range map[string]string{
		"http://" + other + "/?" + secret:                 fmt.Sprintf("it redirects to http://%s/: the host %[1]s is not allowed", other),
		"http://127.0.0.2" + port(other) + "/":            "127.0.0.2 is not public",
		"http://metadata.example.com" + port(other) + "/": "169.254.169.254 is not public",
		"file:///etc/passwd":                              `scheme is "file"`,
		"gopher://" + first + "/":                         `scheme is "gopher"`,
		"http://user:" + secret + "@" + first + "/":       "user name or password",
	} {
		target.Store(to)
		_, err := fetchURL(t, f, "http://"+first+"/start")
		requireUnjudgeable(t, err, event.FetchFailed, text)
		require.ErrorContains(t, err, "fetch http://"+first+"/start: ")
	}
	require.Zero(t, requests.Load())
}

func TestNoProxyIsTakenFromTheEnvironment(t *testing.T) {
	at := port(serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "direct") }))
	f := newFetcher(t, local("cdn.example.com"+at))
	f.web.dialer.Resolver = resolver(t, func(string) []string { return []string{"127.0.0.1"} })
	data, err := fetchURL(t, f, "http://cdn.example.com"+at+"/")
	require.NoError(t, err)
	require.Equal(t, "direct", data)
}

func TestURLsThatAreRefusedUnread(t *testing.T) {
	f := newFetcher(t, local("127.0.0.1"))
	for url, text := range map[string]string{
		"":                                "scheme",
		"http://[::1":                     "cannot be read",
		"http://127.0.0.1/\n" + secret:    "cannot be read",
		"ftp://127.0.0.1/a":               `scheme is "ftp"`,
		"data:image/png;base64," + secret: `scheme is "data"`,
		"http://evil.example/?" + secret:  "the host evil.example is not allowed: allow it with --fetch-host evil.example",
		"http://u:" + secret + "@a/":      "fetch http://a/: the URL holds a user name or password",
		"http://127.0.0.1/" + string(make([]byte, maxURLBytes)): "wanted at most 8192",
	} {
		_, err := fetchURL(t, f, url)
		requireUnjudgeable(t, err, event.FetchFailed, text)
	}
	cfg := local()
	cfg.AllowCIDRs = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}
	_, err := fetchURL(t, newFetcher(t, cfg), "http://127.0.0.1/")
	requireUnjudgeable(t, err, event.FetchFailed, "no URL may be fetched: allow its host with --fetch-host 127.0.0.1")
}
