package exchange

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"moderator/internal/fetch"
)

const (
	mostAnswer    = 64 << 20 // bytes of one page
	answerTimeout = 2 * time.Minute
	mostTries     = 6
	longestWait   = time.Hour // that an answer may ask for
)

// web is one source's HTTP, with its credentials.
type web struct {
	root   *url.URL
	creds  credentials
	client *http.Client
	sign   func(*http.Request) // adds the credentials; nil: none
	pause  time.Duration       // before the second try; it doubles
	now    func() time.Time
}

// newWeb refuses private addresses outside allow, and redirects, which would take the credentials along.
func newWeb(root *url.URL, creds credentials, allow []netip.Prefix, pause time.Duration, now func() time.Time) *web {
	transport := &http.Transport{
		DialContext: fetch.Dialer(allow).DialContext, ForceAttemptHTTP2: true, TLSHandshakeTimeout: 10 * time.Second, IdleConnTimeout: time.Minute,
		MaxResponseHeaderBytes: 64 << 10,
	}
	follow := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &web{root: root, creds: creds, client: &http.Client{Transport: transport, CheckRedirect: follow, Timeout: answerTimeout}, pause: pause, now: now}
}

func (w *web) close() { w.client.CloseIdleConnections() }

// statusError is an answer that is not a success.
type statusError struct {
	code int
	text string
}

func (e *statusError) Error() string { return e.text }

// get returns the body of the path below the root.
func (w *web) get(ctx context.Context, path string, query url.Values) ([]byte, error) {
	return w.do(ctx, http.MethodGet, path, query, "", nil)
}

// do tries a request again while the programme is busy or away. Its errors quote neither the URL's query nor the answer.
func (w *web) do(ctx context.Context, method, path string, query url.Values, kind string, body []byte) ([]byte, error) {
	u := *w.root
	u.Path, u.RawQuery = strings.TrimSuffix(u.Path, "/")+path, query.Encode()
	pause := w.pause
	for try := 1; ; try++ {
		data, wait, err := w.once(ctx, method, u.String(), kind, body)
		if err == nil || wait < 0 || try == mostTries || ctx.Err() != nil {
			return data, err
		}
		if wait > longestWait {
			return nil, fmt.Errorf("%w, and wants to be asked again in %v", err, wait.Round(time.Second))
		}
		if wait == 0 {
			wait, pause = pause, 2*pause
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(wait):
		}
	}
}

// once makes one request. wait is how long the answer asks to wait, 0 where it does not say, and less where trying again is of no use.
func (w *web) once(ctx context.Context, method, address, kind string, body []byte) (data []byte, wait time.Duration, err error) {
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, -1, errors.New("the URL cannot be read")
	}
	request.Header.Set("User-Agent", "moderator")
	if kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	if w.sign != nil {
		w.sign(request)
	}
	response, err := w.client.Do(request)
	if err != nil {
		return nil, 0, fmt.Errorf("%s: %w", w.root.Host, withoutURL(err))
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode/100 != 2 {
		return nil, retryAfter(response), w.refusal(response.StatusCode)
	}
	data, err = io.ReadAll(io.LimitReader(response.Body, mostAnswer+1))
	if err != nil {
		return nil, 0, fmt.Errorf("%s: the answer broke off: %w", w.root.Host, withoutURL(err))
	}
	if len(data) > mostAnswer {
		return nil, -1, fmt.Errorf("%s answers with more than %d MiB: it is not this API", w.root.Host, mostAnswer>>20)
	}
	return data, -1, nil
}

func (w *web) refusal(code int) error {
	what := fmt.Sprintf("%s answered %d %s", w.root.Host, code, http.StatusText(code))
	switch {
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		what += ": it refuses the credentials: correct " + w.creds.from
	case code < 500 && code != http.StatusTooManyRequests:
		what += ": it does not have this API: correct the exchange's --url"
	}
	return &statusError{code, what}
}

// retryAfter returns how long to wait, 0 where the answer does not say, and less for an answer that stays.
func retryAfter(r *http.Response) time.Duration {
	if r.StatusCode < 500 && r.StatusCode != http.StatusTooManyRequests && r.StatusCode != http.StatusRequestTimeout {
		return -1
	}
	text := r.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil && seconds >= 0 && seconds <= int(day/time.Second) {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}

// withoutURL removes the URL, whose query may hold a token, from an error of net/http.
func withoutURL(err error) error {
	var with *url.Error
	var timed net.Error
	switch {
	case errors.As(err, &with) && with.Timeout(), errors.As(err, &timed) && timed.Timeout():
		return errors.New("no answer in time")
	case errors.As(err, &with):
		return with.Err
	}
	return err
}

// malformed is the error of an answer that is not of this API.
func (w *web) malformed(err error) error {
	return fmt.Errorf("%s answers with something else than this API's %v: correct the exchange's --url, or update moderator if the programme changed", w.root.Host, err)
}

// open begins to read what lies at the root itself, which may be large.
func (w *web) open(ctx context.Context) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.root.String(), nil)
	if err != nil {
		return nil, errors.New("the URL cannot be read")
	}
	w.sign(request)
	response, err := w.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", w.root.Host, withoutURL(err))
	}
	if response.StatusCode != http.StatusOK {
		_ = response.Body.Close()
		return nil, w.refusal(response.StatusCode)
	}
	return response.Body, nil
}
