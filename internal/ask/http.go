package ask

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"moderator/internal/event"
)

// HTTPPath takes POST requests: the body is the upload; ?publish=false asks for a decision that is not stored in DECISIONS.
const HTTPPath = "/v1/judge"

// retryAfter is what a client is asked to wait, in seconds, before it tries again.
const retryAfter = 1

const readTime = 30 * time.Second

// referenceBytes bounds what a message may have beside the file that it carries in base64.
const referenceBytes = 1 << 20

// ServeHTTP answers with the data of the decision's event. Statuses: 400 for what is no upload, 413 for a body that is too
// large, 503 with Retry-After when the upload cannot be judged now.
func (a *Asker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	publish, err := publishParameter(r.URL.Query().Get("publish"))
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	leave, err := a.enter()
	if err != nil {
		a.count("http", "busy")
		refuse(w, http.StatusServiceUnavailable, err)
		return
	}
	defer leave()
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(readTime)) // a slow body holds a slot
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, a.maxBytes*4/3+referenceBytes))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		a.count("http", "malformed")
		refuse(w, http.StatusRequestEntityTooLarge, fmt.Errorf("the body is larger than %d bytes: send a reference, or raise --max-upload-bytes", large.Limit))
		return
	case err != nil:
		return // the client is gone
	}
	d, err := a.answer(r.Context(), "http", uploadHeader(r.Header), body, publish)
	leave()
	switch {
	case errors.Is(err, event.ErrMalformed):
		refuse(w, http.StatusBadRequest, err)
	case err != nil:
		refuse(w, http.StatusServiceUnavailable, err)
	default:
		writeJSON(w, http.StatusOK, d)
	}
}

func publishParameter(value string) (bool, error) {
	if value == "" {
		return true, nil
	}
	publish, err := strconv.ParseBool(value)
	if err != nil {
		return false, fmt.Errorf("publish=%q: want true or false", value)
	}
	return publish, nil
}

// uploadHeader leaves out the Content-Type that clients such as curl add to a file by themselves.
func uploadHeader(h http.Header) http.Header {
	if h.Get("Content-Type") == "application/x-www-form-urlencoded" {
		h = h.Clone()
		h.Del("Content-Type")
	}
	return h
}

func refuse(w http.ResponseWriter, status int, err error) {
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	}
	writeJSON(w, status, map[string]string{"error": err.Error()})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
