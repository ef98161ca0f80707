package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"moderator/internal/event"
)

const (
	dialTimeout    = 5 * time.Second
	headerTimeout  = 5 * time.Second
	maxHeaderBytes = 64 << 10 // of an answer
	maxURLBytes    = 8192     // the limit of browsers and caches
)

// web fetches URLs over one pool of connections.
type web struct {
	hosts     atomic.Pointer[hosts]
	dialer    *net.Dialer
	transport *http.Transport
	client    *http.Client
}

func newWeb(cfg Config) (*web, error) {
	w := &web{}
	if err := w.allow(cfg.Hosts); err != nil {
		return nil, err
	}
	dialer := Dialer(cfg.AllowCIDRs)
	transport := &http.Transport{
		// Proxy stays nil: a proxy would connect to addresses that this dialer refuses.
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    dialTimeout,
		ResponseHeaderTimeout:  headerTimeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
		MaxIdleConns:           64,
		MaxIdleConnsPerHost:    16,
		IdleConnTimeout:        90 * time.Second,
		// A small answer must not decompress into a large one, and the stored bytes are the ones to hash.
		DisableCompression: true,
	}
	follow := func(next *http.Request, via []*http.Request) error {
		if len(via) > cfg.MaxRedirects {
			return unjudgeable("it redirects more than %d times", cfg.MaxRedirects)
		}
		next.Header.Del("Referer") // it has the last URL, with its signature
		if err := w.hosts.Load().check(next.URL); err != nil {
			return unjudgeable("it redirects to %s: %w", withoutSecrets(next.URL.String()), err)
		}
		return nil
	}
	w.dialer, w.transport, w.client = dialer, transport, &http.Client{Transport: transport, CheckRedirect: follow}
	return w, nil
}

// allow replaces the hosts from which may be fetched.
func (w *web) allow(list []string) error {
	parsed, err := parseHosts(list)
	if err == nil {
		w.hosts.Store(&parsed)
	}
	return err
}

// get returns the body of a URL.
func (w *web) get(ctx context.Context, text string, mem memory) ([]byte, error) {
	if len(text) > maxURLBytes {
		return nil, unjudgeable("the URL is %d bytes, wanted at most %d", len(text), maxURLBytes)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, text, nil)
	if err != nil {
		return nil, unjudgeable("the URL cannot be read, wanted https://host/path")
	}
	if err := w.hosts.Load().check(request.URL); err != nil {
		return nil, unjudgeable("%w", err)
	}
	request.Header.Set("User-Agent", "moderator")
	request.Header.Set("Accept-Encoding", "identity")
	response, err := w.client.Do(request)
	if err != nil {
		return nil, safeError(err)
	}
	defer func() { _ = response.Body.Close() }() // unread data closes the connection
	if err := checkResponse(response); err != nil {
		return nil, err
	}
	data, err := mem.readAll(response.Body, response.ContentLength)
	if err != nil {
		return nil, safeError(err)
	}
	return data, nil
}

// checkResponse returns an error unless the response has a file as its body.
func checkResponse(r *http.Response) error {
	switch code := r.StatusCode; {
	case code == http.StatusOK:
	case code == http.StatusRequestTimeout, code == http.StatusTooEarly, code == http.StatusTooManyRequests, code >= 500:
		return fmt.Errorf("the server answered %d %s", code, http.StatusText(code))
	default:
		return unjudgeable("the server answered %d %s, wanted 200 OK", code, http.StatusText(code))
	}
	for _, encoding := range r.Header.Values("Content-Encoding") {
		if encoding != "" && encoding != "identity" {
			return unjudgeable("the server sent it compressed, wanted no Content-Encoding")
		}
	}
	return nil
}

// safeError keeps errors of the network and replaces all others: the standard library's texts quote URLs and the server's
// answer.
func safeError(err error) error {
	var permanent *event.Unjudgeable
	var refused *event.NotAdmitted
	var certificate *tls.CertificateVerificationError
	var lookup *net.DNSError
	var operation *net.OpError
	var timed net.Error
	switch {
	case errors.As(err, &permanent):
		return permanent
	case errors.As(err, &refused):
		return refused
	case errors.As(err, &certificate):
		return errors.New(truncate(certificate.Error(), 500))
	case errors.As(err, &lookup):
		return lookup
	case errors.As(err, &operation):
		return operation
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return errors.New("the connection ended before the answer did")
	case errors.As(err, &timed) && timed.Timeout():
		return errors.New("the server did not answer in time")
	}
	return errors.New("the connection broke, or the answer is not valid HTTP")
}

// withoutSecrets returns a URL without query and user.
func withoutSecrets(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "a URL"
	}
	return truncate((&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String(), 255)
}
