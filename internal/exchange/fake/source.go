// Package fake serves hash-sharing programmes over HTTP, in the shapes of their APIs, from generated records. It serves tests and
// tools/fake-exchanges: no programme has a test server without a contract.
package fake

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"
)

// The credentials of every fake.
const (
	User     = "fake-user"
	Password = "fake-password"

	FeedbackKey = "fake-feedback" // of StopNCII
)

// Begin is the time of the first generated record; each later one is ten seconds younger.
var Begin = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// Source holds a programme's records: generated ones, which take no memory, and their changes. It is safe for concurrent use.
type Source struct {
	Records int  // generated
	Broken  bool // one generated record in a hundred is malformed
	Page    int  // most records of an answer; 0: as many as the programme gives

	BusyEvery  int              // every so many requests are answered 429; 0: none
	FailEvery  int              // the same of 500
	RetryAfter string           // of 429
	Status     int              // of every answer, if not 0
	Hook       func(number int) // runs before the answer to each request; nil: none

	mu       sync.Mutex
	changes  []change // by time
	at       map[int]int
	requests int
	feedback []string
}

// Feedback is what clients said: "seen KEY", "confirmed KEY" or "false positive KEY".
func (s *Source) Feedback() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.feedback)
}

func (s *Source) addFeedback(opinion, key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.feedback = append(s.feedback, opinion+" "+key)
}

// change is the latest state of a record that changed.
type change struct {
	index   int
	version int
	deleted bool
	votes   string // up, down or ""
	at      time.Time
}

// Record is one record as it is now.
type Record struct {
	Index                  int
	MD5, SHA1, PDQ, SHA256 string // hex
	Deleted                bool
	Votes                  string // of other members: up, down or ""
	At                     time.Time
}

// Member is the one that sent the record: there are three.
func (r Record) Member() int { return 40 + r.Index%3 }

// Descriptor is the id of the record's descriptor in ThreatExchange.
func (r Record) Descriptor() string { return fmt.Sprint(1000 + r.Index) }

// HasMD5 reports whether NCMEC gives the record's MD5: of one in seven it has a SHA-1 only.
func (r Record) HasMD5() bool { return r.Index%7 != 3 }

// Valid reports whether the record's hashes are well formed.
func (r Record) Valid() bool { return len(r.PDQ) == 64 && r.PDQ[0:8] != "00000000" }

// Delete, Update and Vote change a record at that time, which must not be before that of an earlier change. Update gives it new hashes;
// an index from Records on adds a record.
func (s *Source) Delete(index int, at time.Time) {
	s.change(change{index: index, deleted: true, at: at})
}

// Update see Delete.
func (s *Source) Update(index int, at time.Time) { s.change(change{index: index, version: 1, at: at}) }

// Restore takes a Delete back: the record comes with its first hashes again. See Delete.
func (s *Source) Restore(index int, at time.Time) { s.change(change{index: index, at: at}) }

// Vote has another member vote "up" or "down". See Delete.
func (s *Source) Vote(index int, votes string, at time.Time) {
	s.change(change{index: index, votes: votes, at: at})
}

// Hide takes a record away without a word, as programmes do with deletions that are old.
func (s *Source) Hide(index int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latest()[index] = -1
}

func (s *Source) change(c change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latest()[c.index] = len(s.changes)
	s.changes = append(s.changes, c)
}

// latest is the place among the changes of each record that changed: only its latest state is served.
func (s *Source) latest() map[int]int {
	if s.at == nil {
		s.at = map[int]int{}
	}
	return s.at
}

// Live calls each with every record that is neither deleted nor malformed.
func (s *Source) Live(each func(Record)) {
	for i := range s.total() {
		if r, ok := s.record(i); ok && !r.Deleted && r.Valid() {
			each(r)
		}
	}
}

// Requests is how many requests came.
func (s *Source) Requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

// total is the number of places in the order of time: generated records, and then changes. Some are empty: see record.
func (s *Source) total() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Records + len(s.changes)
}

// record returns the record at a place, and whether it is the latest state.
func (s *Source) record(place int) (Record, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if place < s.Records {
		_, changed := s.at[place]
		return s.generate(change{index: place, at: Begin.Add(time.Duration(place) * 10 * time.Second)}), !changed
	}
	c := s.changes[place-s.Records]
	return s.generate(c), s.at[c.index] == place-s.Records
}

func (s *Source) generate(c change) Record {
	a := sha256.Sum256(fmt.Appendf(nil, "%d/%d", c.index, c.version))
	b := sha256.Sum256(a[:])
	r := Record{
		Index: c.index, PDQ: hex.EncodeToString(a[:]), MD5: hex.EncodeToString(b[:16]), SHA1: hex.EncodeToString(b[:20]), SHA256: hex.EncodeToString(b[:]),
		Deleted: c.deleted, Votes: c.votes, At: c.at,
	}
	if s.Broken && c.index%100 == 17 {
		r.MD5, r.SHA1 = r.MD5[:30], strings.Repeat("0", 40)
		r.PDQ = []string{r.PDQ[:62], "0000000000000000000000000000000000000000000000000000000000000000"}[c.index/100%2]
	}
	return r
}

// since is the first place whose record is not older.
func (s *Source) since(at time.Time) int {
	return sort.Search(s.total(), func(place int) bool {
		r, _ := s.record(place)
		return !r.At.Before(at)
	})
}

// page is how many records an answer has, of which the programme gives at most so many.
func (s *Source) page(most int) int {
	if s.Page > 0 {
		return min(most, s.Page)
	}
	return most
}

// serve wraps a handler with the faults.
func (s *Source) serve(signed func(*http.Request) bool, handler http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.requests++
		number := s.requests
		s.mu.Unlock()
		if s.Hook != nil {
			s.Hook(number)
		}
		switch {
		case s.Status != 0:
			w.WriteHeader(s.Status)
		case s.BusyEvery > 0 && number%s.BusyEvery == 0:
			w.Header().Set("Retry-After", s.RetryAfter)
			w.WriteHeader(http.StatusTooManyRequests)
		case s.FailEvery > 0 && number%s.FailEvery == 0:
			w.WriteHeader(http.StatusInternalServerError)
		case !signed(r):
			w.WriteHeader(http.StatusUnauthorized)
		default:
			handler(w, r)
		}
	})
}
