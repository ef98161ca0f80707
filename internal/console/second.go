package console

import (
	"slices"
	"time"

	"moderator/internal/event"
)

// second is what one second of decisions was like.
type second struct {
	Time   int64   `json:"time"` // its beginning, in seconds since 1970
	Allow  int     `json:"allow"`
	Review int     `json:"review"`
	Block  int     `json:"block"`
	P50    float64 `json:"p50"` // of row.Took, in milliseconds
	P95    float64 `json:"p95"`
}

// keptSeconds is how far back the curves of the Live page go.
const keptSeconds = 300

// timeline makes seconds of rows that come in the order of their times.
type timeline struct {
	done []second // the oldest first, keptSeconds at most; seconds without a decision are left out
	now  second
	took []float64 // of now
	// When, by our own clock, now came under way: the stream's clock is another one.
	began time.Time
}

// lateness is how long after a second's end its last decisions may arrive.
const lateness = 200 * time.Millisecond

// add counts a decision. People's own are counted, but take as long as people do.
func (t *timeline) add(r *row, clock time.Time) {
	at := r.Time / 1000
	if n := len(t.done); n > 0 {
		at = max(at, t.done[n-1].Time+1)
	}
	if at > t.now.Time {
		t.close()
		t.now, t.began = second{Time: at}, clock
	}
	switch r.Verdict {
	case event.Allow:
		t.now.Allow++
	case event.Review:
		t.now.Review++
	case event.Block:
		t.now.Block++
	}
	if r.Reason != event.Reviewed {
		t.took = append(t.took, r.Took)
	}
}

// close ends the second that is under way.
func (t *timeline) close() {
	if t.now.Time == 0 {
		return
	}
	if n := len(t.took); n > 0 {
		slices.Sort(t.took)
		t.now.P50, t.now.P95 = t.took[n/2], t.took[n*95/100]
	}
	if len(t.done) == keptSeconds {
		t.done = slices.Delete(t.done, 0, 1)
	}
	t.done = append(t.done, t.now)
	t.now, t.took = second{}, t.took[:0]
}

// since returns the seconds after at that are over.
func (t *timeline) since(at int64, clock time.Time) []second {
	if clock.Sub(t.began) > time.Second+lateness {
		t.close()
	}
	first, _ := slices.BinarySearchFunc(t.done, at+1, func(s second, at int64) int { return int(s.Time - at) })
	return slices.Clone(t.done[first:])
}
