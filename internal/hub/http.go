package hub

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

// refusal is an answer that another attempt will not change.
type refusal struct{ text string }

func (r *refusal) Error() string { return r.text }

const mostRedirects = 5

// do asks for a file from the given byte on and follows redirects; a HEAD stops at the hub's answer that has the file's hash. The
// token goes to the hub alone.
func (c *Client) do(ctx context.Context, method, revision, name string, from int64) (*http.Response, error) {
	address, token := c.Source.file(revision, name), c.Source.Token
	for range mostRedirects {
		answer, err := c.ask(ctx, method, address, token, from)
		if err != nil {
			return nil, err
		}
		next, err := answer.Location()
		described := method == http.MethodHead && answer.Header.Get("X-Linked-Etag") != ""
		if errors.Is(err, http.ErrNoLocation) || answer.StatusCode < 300 || answer.StatusCode > 399 || described {
			if err := statusError(answer); err != nil {
				answer.Body.Close()
				return nil, err
			}
			return answer, nil
		}
		answer.Body.Close()
		if err != nil {
			return nil, err
		}
		if next.Scheme != "https" && next.Scheme != c.Source.Endpoint.Scheme {
			return nil, &refusal{fmt.Sprintf("the hub redirects to %s, which is not encrypted", next.Redacted())}
		}
		if next.Host != c.Source.Endpoint.Host {
			token = ""
		}
		address = next.String()
	}
	return nil, &refusal{fmt.Sprintf("more than %d redirects", mostRedirects)}
}

// ask sends one request, and follows nothing.
func (c *Client) ask(ctx context.Context, method, address, token string, from int64) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept-Encoding", "identity") // sizes and ranges are the file's
	request.Header.Set("User-Agent", "moderator")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	if from > 0 {
		request.Header.Set("Range", "bytes="+strconv.FormatInt(from, 10)+"-")
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return client.Do(request)
}

// statusError is nil for an answer with the file, or a redirect to it.
func statusError(answer *http.Response) error {
	switch code := answer.StatusCode; {
	case code < 400:
		return nil
	case code == http.StatusNotFound:
		return errAbsent
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		return &refusal{fmt.Sprintf("the hub answers %s: accept the model's terms there, and set HF_TOKEN or HF_TOKEN_PATH", answer.Status)}
	case code >= 500 || code == http.StatusTooManyRequests || code == http.StatusRequestedRangeNotSatisfiable:
		return fmt.Errorf("the hub answers %s", answer.Status)
	}
	return &refusal{"the hub answers " + answer.Status}
}
