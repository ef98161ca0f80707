package fetch

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"moderator/internal/event"
	"moderator/internal/testenv"
)

func TestMain(m *testing.M) {
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY"} {
		if err := os.Setenv(name, "http://127.0.0.1:1"); err != nil { // net/http reads it once
			panic(err)
		}
	}
	os.Exit(testenv.Main(patient{m}))
}

// patient waits after the tests for the stores' clients: they close connections some seconds after their server has.
type patient struct{ *testing.M }

func (m patient) Run() int {
	code := m.M.Run()
	for range 20 {
		if goleak.Find(testenv.NATSLeak) == nil {
			break
		}
	}
	return code
}

// secret is sent by the servers of these tests. No error may contain it.
const secret = "s3cret"

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}

// local returns a configuration that allows the hosts on this machine.
func local(hosts ...string) Config {
	return Config{Hosts: hosts, AllowCIDRs: loopback, Timeout: 10 * time.Second, MaxRedirects: DefaultMaxRedirects}
}

func newFetcher(t *testing.T, cfg Config) *Fetcher {
	t.Helper()
	f, err := New(cfg, nil)
	require.NoError(t, err)
	t.Cleanup(f.Close)
	return f
}

// serve returns the host:port of an HTTP server.
func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// raw answers every request with the bytes of answer and closes the connection.
func raw(t *testing.T, answer string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = conn.Write([]byte(answer))
		_ = conn.Close()
	}
}

func port(address string) string { return address[strings.LastIndexByte(address, ':'):] }

// resolver starts a DNS server that gets a name's addresses from answer, and returns a resolver that uses only it.
func resolver(t *testing.T, answer func(name string) []string) *net.Resolver {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		query := make([]byte, 1500)
		for {
			n, from, err := server.ReadFrom(query)
			if err != nil {
				return
			}
			_, _ = server.WriteTo(dnsAnswer(query[:n], answer), from)
		}
	}()
	t.Cleanup(func() { _ = server.Close(); <-done })
	var dialer net.Dialer
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}

// dnsAnswer answers a DNS query (RFC 1035) with A or AAAA records.
func dnsAnswer(query []byte, answer func(name string) []string) []byte {
	const typeA, typeAAAA, headerBytes = 1, 28, 12
	at := headerBytes
	var labels []string
	for query[at] != 0 {
		labels = append(labels, string(query[at+1:at+1+int(query[at])]))
		at += 1 + int(query[at])
	}
	kind := binary.BigEndian.Uint16(query[at+1:])
	question := query[headerBytes : at+5]
	var records []byte
	var count uint16
	if kind == typeA || kind == typeAAAA {
		for _, text := range answer(strings.ToLower(strings.Join(labels, "."))) {
			ip := netip.MustParseAddr(text)
			if ip.Is4() != (kind == typeA) {
				continue
			}
			count++
			records = append(records, 0xc0, headerBytes, 0, byte(kind), 0, 1, 0, 0, 0, 0, 0, byte(len(ip.AsSlice())))
			records = append(records, ip.AsSlice()...)
		}
	}
	out := append([]byte{query[0], query[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, question...)
	binary.BigEndian.PutUint16(out[6:], count)
	return append(out, records...)
}

// requireUnjudgeable checks that the error is an *event.Unjudgeable with the reason.
func requireUnjudgeable(t *testing.T, err error, reason event.Reason, text string) {
	t.Helper()
	var permanent *event.Unjudgeable
	require.ErrorAs(t, err, &permanent)
	require.Equal(t, reason, permanent.Reason, "%v", err)
	require.ErrorContains(t, permanent.Err, text)
	requireText(t, permanent.Err)
}

// requireRetry checks that the error is worth a redelivery.
func requireRetry(t *testing.T, err error, text string) {
	t.Helper()
	require.Error(t, err)
	var permanent *event.Unjudgeable
	require.False(t, errors.As(err, &permanent), "%v", err)
	require.ErrorContains(t, err, text)
	requireText(t, err)
}

func requireText(t *testing.T, err error) {
	t.Helper()
	require.NotContains(t, err.Error(), secret)
	require.NotContains(t, err.Error(), "fetch_failed")
	require.Less(t, len(err.Error()), 1500)
}
