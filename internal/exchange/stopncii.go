package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// stopNCII reads StopNCII's API, version 1. An entry is a hash; withdrawn ones keep coming with their status. The time to continue
// at is the latest that any page named, as later pages name earlier ones, and some minutes before it.
type stopNCII struct {
	*web
	reader
}

type stopNCIIPlace struct {
	Since  int64  `json:"since"`           // in seconds since 1970
	Latest int64  `json:"latest"`          // that a page of this run named
	Token  string `json:"token,omitempty"` // of the run's next page
}

const (
	stopNCIIPage    = 800
	stopNCIIOverlap = 600 // seconds
)

func newStopNCII(w *web, name string, s Settings) source {
	w.sign = func(r *http.Request) {
		key := "functions-key"
		if strings.HasSuffix(r.URL.Path, "/SubmitFeedback") {
			key = "feedback-key"
		}
		r.Header.Set("x-functions-key", w.creds.values[key])
		r.Header.Set("Ocp-Apim-Subscription-Key", w.creds.values["subscription-key"])
	}
	return &stopNCII{web: w, reader: reader{name: name, Settings: s}}
}

type stopNCIIAnswer struct {
	NextSet *int64            `json:"nextSetTimestamp"`
	Token   string            `json:"nextPageToken"`
	More    bool              `json:"hasMoreRecords"`
	Records []json.RawMessage `json:"hashRecords"`
}

type stopNCIIRecord struct {
	Kind      string `json:"signalType"`
	Hash      string `json:"hashValue"`
	Status    string `json:"hashStatus"`
	Feedbacks []struct {
		Value string `json:"feedbackValue"`
	} `json:"CSPFeedbacks"`
}

func (s *stopNCII) next(ctx context.Context, place json.RawMessage) (page, error) {
	s.page = page{}
	var p stopNCIIPlace
	if err := resumed(place, &p); err != nil {
		return page{}, err
	}
	query := url.Values{"startTimestamp": {strconv.FormatInt(max(0, p.Since-stopNCIIOverlap), 10)}, "pageSize": {strconv.Itoa(stopNCIIPage)}}
	if p.Token != "" {
		query.Set("nextPageToken", p.Token)
	}
	data, err := s.get(ctx, "/FetchHashes", query)
	var refused *statusError
	if p.Token != "" && errors.As(err, &refused) && (refused.code == http.StatusBadRequest || refused.code == http.StatusNotFound || refused.code == http.StatusGone) {
		p.Token = "" // it is too old: the run begins again
		query.Del("nextPageToken")
		data, err = s.get(ctx, "/FetchHashes", query)
	}
	if err != nil {
		return page{}, err
	}
	var answer stopNCIIAnswer
	if err := json.Unmarshal(data, &answer); err != nil || answer.NextSet == nil {
		return page{}, s.malformed(errors.New("hashRecords in JSON"))
	}
	for _, one := range answer.Records {
		s.take(one)
	}
	p.Latest = max(p.Latest, *answer.NextSet)
	if p.Token = answer.Token; !answer.More || answer.Token == "" {
		p = stopNCIIPlace{Since: max(p.Since, p.Latest)}
		s.page.last = true
	}
	s.page.Checkpoint, err = json.Marshal(p)
	return s.page, err
}

func (s *stopNCII) take(data json.RawMessage) {
	var r stopNCIIRecord
	if err := json.Unmarshal(data, &r); err != nil {
		s.refuse("record that cannot be read")
		return
	}
	if r.Kind != "ImagePDQ" {
		s.refuse(held(r.Kind))
		return
	}
	e := entry{key: r.Kind + ":" + strings.ToLower(r.Hash), note: r.Status}
	for _, f := range r.Feedbacks {
		switch f.Value {
		case "Blocked":
			e.confirmed++
		case "NotBlocked":
			e.disputed = true
		}
	}
	switch r.Status {
	case "Received", "Active":
		e.hash("pdq", r.Hash)
	case "Withdrawn", "Deleted":
	default:
		s.refuse("status that is not known")
	}
	s.add(e)
}

// held is the reason for which a type of signal is not taken.
func held(kind string) string { return printable(kind) + ": the library does not hold it" }

// printable shortens a name of the source to what a person can read.
func printable(name string) string {
	if len(name) > 40 || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r > '~' }) {
		return "other"
	}
	return name
}
