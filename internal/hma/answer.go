package hma

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"moderator/internal/matchdb"
)

// answer is what a request gets: a status, 200 for 0, and a body that is JSON, or text/plain for plainText.
type answer struct {
	status int
	body   any
}

type plainText string

type handler func(r *http.Request) (answer, error)

// failure is an error with its status; its text is the answer's message.
type failure struct {
	status  int
	message string
}

func (f *failure) Error() string { return f.message }

func refuse(status int, format string, args ...any) error {
	return &failure{status, fmt.Sprintf(format, args...)}
}

func badRequest(format string, args ...any) error {
	return refuse(http.StatusBadRequest, format, args...)
}

// fault is a part of a request that breaks the endpoint's schema. The answer is 422 with a list of faults, as pydantic writes them.
type fault struct {
	Type string   `json:"type"`
	Loc  []string `json:"loc"`
	Msg  string   `json:"msg"`
}

func (f *fault) Error() string { return strings.Join(f.Loc, ".") + ": " + f.Msg }

func missing(name string) error { return &fault{"missing", []string{name}, "Field required"} }

func mistyped(name, want string) error {
	return &fault{want + "_type", []string{name}, "Input should be a valid " + want}
}

// retryAfter is what a client is asked to wait, in seconds.
const retryAfter = "1"

// counted answers an endpoint's requests and counts them by the class of their status.
func (s *Server) counted(to route) http.Handler {
	return s.answer(func(r *http.Request) (answer, error) {
		a, err := to.handle(r)
		if err != nil {
			a = s.problem(r, err)
		}
		a.status = cmp.Or(a.status, http.StatusOK)
		s.requests.WithLabelValues(to.method+" "+to.path, fmt.Sprintf("%dxx", a.status/100)).Inc()
		return a, nil
	})
}

func (s *Server) answer(handle handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, err := handle(r)
		if err != nil {
			a = s.problem(r, err)
		}
		if a.status == http.StatusServiceUnavailable {
			w.Header().Set("Retry-After", retryAfter)
		}
		write(w, a)
	})
}

func write(w http.ResponseWriter, a answer) {
	a.status = cmp.Or(a.status, http.StatusOK)
	w.Header().Set("Cache-Control", "no-store")
	if text, ok := a.body.(plainText); ok {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(a.status)
		_, _ = w.Write([]byte(text)) // the client may be gone
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.status)
	if a.status != http.StatusNoContent {
		to := json.NewEncoder(w)
		to.SetEscapeHTML(false) // messages hold quotes and URLs
		_ = to.Encode(a.body)
	}
}

// problem is the answer to a request that failed. A library that is away is 503.
func (s *Server) problem(r *http.Request, err error) answer {
	var known *failure
	var schema *fault
	status := http.StatusInternalServerError
	switch {
	case errors.As(err, &schema):
		return answer{http.StatusUnprocessableEntity, []*fault{schema}}
	case errors.As(err, &known):
		status = known.status
	case errors.Is(err, matchdb.ErrInvalid):
		status = http.StatusBadRequest
	case matchdb.ReadOnly(err):
		known = &failure{http.StatusForbidden, "Curation is disabled, missing role: GRANT moderator_curator to moderator's database login"}
		status = known.status
	case matchdb.Retryable(err), errors.Is(err, context.Canceled):
		known = &failure{http.StatusServiceUnavailable, "the library is away: try again"}
		status = known.status
	}
	if status >= http.StatusInternalServerError && r.Context().Err() == nil {
		s.log.Warn("HMA's API", "method", r.Method, "path", r.URL.Path, "status", status, "error", err)
	}
	message := "internal error: moderator's log says more"
	if known != nil {
		message = known.message
	} else if status == http.StatusBadRequest {
		message = err.Error()
	}
	return answer{status, map[string]string{"message": message}}
}

// ratio is a number that is written with a decimal point, as Ruby's and Python's clients tell floats from integers.
type ratio float64

// MarshalJSON implements json.Marshaler.
func (r ratio) MarshalJSON() ([]byte, error) {
	text := strconv.FormatFloat(float64(r), 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return []byte(text), nil
}
