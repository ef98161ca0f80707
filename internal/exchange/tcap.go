package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// tcap reads the hash list of Tech Against Terrorism's TCAP, version 2, in ascending order.
type tcap struct {
	*web
	reader
	token string
}

// tcapTypes are the algorithms that the library holds.
var tcapTypes = map[string]string{"PDQ": "pdq", "MD5": "md5", "SHA256": "sha256", "SHA-256": "sha256"}

// tcapVideos are the file types of videos.
var tcapVideos = []string{"mov", "m4v", "mp4", "webm", "avi", "mkv", "3gp", "mpg", "mpeg", "wmv", "flv"}

func newTCAP(w *web, name string, s Settings) source {
	t := &tcap{web: w, reader: reader{name: name, Settings: s}}
	w.sign = func(r *http.Request) {
		if t.token != "" {
			r.Header.Set("Authorization", "Bearer "+t.token)
		}
	}
	return t
}

type tcapAnswer struct {
	Next       string            `json:"next"`
	Checkpoint string            `json:"checkpoint"`
	Results    []json.RawMessage `json:"results"`
}

type tcapRecord struct {
	ID        json.RawMessage `json:"id"` // a number or a text
	Digest    string          `json:"hash_digest"`
	Algorithm string          `json:"algorithm"`
	Ideology  string          `json:"ideology"`
	FileType  string          `json:"file_type"`
	Deleted   bool            `json:"deleted"`
}

func (t *tcap) next(ctx context.Context, place json.RawMessage) (page, error) {
	t.page = page{}
	query := url.Values{"order": {"asc"}}
	if place != nil {
		var after string
		if err := json.Unmarshal(place, &after); err != nil {
			return page{}, err
		}
		query.Set("after", after)
	}
	data, err := t.signedIn(ctx, query)
	if err != nil {
		return page{}, err
	}
	var answer tcapAnswer
	if err := json.Unmarshal(data, &answer); err != nil || answer.Results == nil {
		return page{}, t.malformed(errors.New("results in JSON"))
	}
	for _, one := range answer.Results {
		t.take(one)
	}
	t.page.last = answer.Next == "" || len(answer.Results) == 0
	if answer.Checkpoint == "" {
		if !t.page.last {
			return page{}, t.malformed(errors.New("checkpoint"))
		}
		return t.page, nil
	}
	t.page.Checkpoint, err = json.Marshal(answer.Checkpoint)
	return t.page, err
}

// signedIn asks with the token of this fetch, and for a new one where it has ended.
func (t *tcap) signedIn(ctx context.Context, query url.Values) ([]byte, error) {
	for fresh := false; ; {
		if t.token == "" {
			fresh = true
			form := url.Values{"username": {t.creds.values["username"]}, "password": {t.creds.values["password"]}}
			data, err := t.do(ctx, http.MethodPost, "/token-auth/tcap/", nil, "application/x-www-form-urlencoded", []byte(form.Encode()))
			var refused *statusError
			if errors.As(err, &refused) && refused.code == http.StatusBadRequest { // as it says of a wrong password
				return nil, t.refusal(http.StatusUnauthorized)
			}
			if err != nil {
				return nil, err
			}
			var answer struct {
				Token string `json:"token"`
			}
			if err := json.Unmarshal(data, &answer); err != nil || answer.Token == "" {
				return nil, t.malformed(errors.New("token"))
			}
			t.token = answer.Token
		}
		data, err := t.get(ctx, "/api/hash-list/v2/all", query)
		var refused *statusError
		if fresh || !errors.As(err, &refused) || refused.code != http.StatusUnauthorized {
			return data, err
		}
		t.token = ""
	}
}

func (t *tcap) take(data json.RawMessage) {
	var r tcapRecord
	if err := json.Unmarshal(data, &r); err != nil {
		t.refuse("record that cannot be read")
		return
	}
	kind, known := tcapTypes[strings.ToUpper(r.Algorithm)]
	if !known {
		t.refuse(held(r.Algorithm))
		return
	}
	key := strings.Trim(string(r.ID), `"`)
	if key == "" || key == "null" {
		key = kind + ":" + strings.ToLower(r.Digest)
	}
	e := entry{key: key, note: r.Ideology, confirmed: 1}
	switch {
	case r.Deleted, !wants(t.Classes, r.Ideology):
	case slices.Contains(tcapVideos, strings.ToLower(strings.TrimPrefix(r.FileType, "."))):
		t.refuse("video: the library holds pictures")
	default:
		e.hash(kind, r.Digest)
	}
	t.add(e)
}
