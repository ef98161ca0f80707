package exchange

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// ncmec reads NCMEC's hash sharing API, version 2. Pages of a time range come in no order and their cursor is short-lived, so the
// checkpoint moves when a range is exhausted. Ranges that hold too much are cut.
type ncmec struct {
	*web
	reader
	end      time.Time // of this fetch
	from, to time.Time // the range
	width    time.Duration
	cursor   url.Values
	seen     map[string]time.Time // entries of the range, with their time
}

type ncmecPlace struct {
	Done  time.Time `json:"done"`  // all before it is stored
	Width int64     `json:"width"` // of the next range, in seconds
}

const (
	ncmecNamespace = "https://hashsharing.ncmec.org/hashsharing/v2"
	ncmecLeast     = time.Minute      // width of a range
	ncmecLag       = 5 * time.Second  // in which entries may still come with an earlier time
	ncmecOverlap   = 10 * time.Minute // of a fetch with the one before: the clocks may differ
	ncmecTime      = "2006-01-02T15:04:05.000Z"
)

// ncmecMost is how many entries a range may hold, more or less.
var ncmecMost = 100_000

// ncmecBegin is before the first entry.
var ncmecBegin = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func newNCMEC(w *web, name string, s Settings) source {
	w.sign = func(r *http.Request) { r.SetBasicAuth(w.creds.values["username"], w.creds.values["password"]) }
	return &ncmec{web: w, reader: reader{name: name, Settings: s}}
}

type ncmecResult struct {
	XMLName xml.Name     `xml:"https://hashsharing.ncmec.org/hashsharing/v2 queryResult"`
	Images  ncmecEntries `xml:"images"`
	Videos  ncmecEntries `xml:"videos"`
	Next    string       `xml:"paging>next"`
}

type ncmecEntries struct {
	All []ncmecEntry `xml:",any"`
}

type ncmecEntry struct {
	XMLName xml.Name
	Member  struct {
		ID string `xml:"id,attr"`
	} `xml:"member"`
	ID           string       `xml:"id"`
	Timestamp    string       `xml:"timestamp"`
	Class        string       `xml:"classification"`
	Fingerprints ncmecHashes  `xml:"fingerprints"`
	Confirmed    []ncmecVotes `xml:"feedback>affirmativeFeedback"`
	Disputed     []ncmecVotes `xml:"feedback>negativeFeedback"`
}

type ncmecHashes struct {
	MD5  []string `xml:"md5"`
	SHA1 []string `xml:"sha1"`
	PDQ  []string `xml:"pdq"`
}

type ncmecVotes struct {
	Members []struct{} `xml:"members>member"`
}

func (n *ncmec) next(ctx context.Context, place json.RawMessage) (page, error) {
	n.page = page{}
	p := ncmecPlace{Done: ncmecBegin}
	if err := resumed(place, &p); err != nil {
		return page{}, err
	}
	if n.end.IsZero() {
		n.end = n.now().UTC().Add(-ncmecLag).Truncate(time.Millisecond)
	}
	if n.cursor == nil {
		if !p.Done.Before(n.end) {
			return page{last: true}, nil
		}
		n.from = p.Done
		if n.seen == nil && p.Done.After(ncmecBegin) {
			n.from = p.Done.Add(-ncmecOverlap)
		}
		n.seen, n.width = map[string]time.Time{}, time.Duration(p.Width)*time.Second
		if n.width <= 0 {
			n.width = n.end.Sub(n.from)
		}
	}
	result, err := n.firstOrNext(ctx)
	if err != nil {
		n.cursor = nil
		return page{}, err
	}
	for _, e := range result.Images.All {
		n.take(e)
	}
	for range result.Videos.All {
		n.refuse("video: the library holds pictures")
	}
	if result.Next != "" {
		if n.cursor, err = n.follow(result.Next); err != nil {
			return page{}, n.malformed(err)
		}
		return n.page, nil
	}
	n.cursor = nil
	if len(n.seen) < ncmecMost/16 {
		n.width *= 4
	}
	n.page.last = !n.to.Before(n.end)
	n.page.Checkpoint, err = json.Marshal(ncmecPlace{Done: n.to, Width: int64(n.width / time.Second)})
	return n.page, err
}

// firstOrNext asks for the next page of the range. At its beginning it narrows the range until it holds few enough.
func (n *ncmec) firstOrNext(ctx context.Context) (r ncmecResult, err error) {
	if n.cursor != nil {
		return n.ask(ctx, n.cursor)
	}
	for ; ; n.width = max(n.width/4, ncmecLeast) {
		n.to = n.end
		if n.width < n.end.Sub(n.from) {
			n.to = n.from.Add(n.width).Truncate(time.Millisecond)
		}
		r, err = n.ask(ctx, url.Values{"from": {n.from.Format(ncmecTime)}, "to": {n.to.Format(ncmecTime)}})
		if err != nil || n.width <= ncmecLeast || r.estimate() <= ncmecMost {
			return r, err
		}
	}
}

func (n *ncmec) ask(ctx context.Context, query url.Values) (r ncmecResult, err error) {
	data, err := n.get(ctx, "/v2/entries", query)
	if err != nil {
		return r, err
	}
	if err := xml.Unmarshal(data, &r); err != nil {
		return r, n.malformed(errors.New("entries in XML, namespace " + ncmecNamespace))
	}
	return r, nil
}

// estimate is how many entries the range holds, as far as the cursor tells.
func (r ncmecResult) estimate() int {
	here := len(r.Images.All) + len(r.Videos.All)
	_, query, _ := strings.Cut(r.Next, "?")
	values, _ := url.ParseQuery(query)
	start, err := strconv.Atoi(values.Get("start"))
	most, err2 := strconv.Atoi(values.Get("max"))
	if err != nil || err2 != nil || most < start {
		return here
	}
	return most - start + here
}

// follow checks that the next page is one of the same range.
func (n *ncmec) follow(next string) (url.Values, error) {
	path, query, _ := strings.Cut(next, "?")
	values, err := url.ParseQuery(query)
	if err != nil || path != "/v2/entries" {
		return nil, errors.New("path of the next page")
	}
	return values, nil
}

// take adds a picture's entry. Of one that comes twice in a range the newer state counts.
func (n *ncmec) take(e ncmecEntry) {
	if !wants(n.Members, e.Member.ID) {
		return
	}
	if e.ID == "" || e.Member.ID == "" {
		n.refuse("entry without a usable key")
		return
	}
	key := fmt.Sprintf("%s/%s", e.Member.ID, e.ID)
	at, _ := time.Parse(time.RFC3339, e.Timestamp) // the zero time is the oldest
	if before, known := n.seen[key]; known && at.Before(before) {
		return
	}
	n.seen[key] = at
	if e.XMLName.Local == "deletedImage" || !wants(n.Classes, e.Class) {
		n.delete(key)
		return
	}
	one := entry{key: key, note: e.Class, confirmed: 1, disputed: len(e.Disputed) > 0}
	for _, votes := range e.Confirmed {
		one.confirmed = max(one.confirmed, 1+len(votes.Members))
	}
	sums := map[string][]string{"md5": e.Fingerprints.MD5, "sha1": e.Fingerprints.SHA1, "pdq": e.Fingerprints.PDQ}
	if len(e.Fingerprints.MD5) == 1 {
		if _, fault := flagOf("md5", e.Fingerprints.MD5[0]); fault == "" {
			delete(sums, "sha1") // it names the same file
		}
	}
	for kind, all := range sums {
		for _, digits := range all {
			one.hash(kind, digits)
		}
	}
	n.add(one)
}
