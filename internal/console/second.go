package console

import (
	"slices"
	"time"

	"moderator/internal/event"
)

// second summarises the decisions of one second.
type second struct {
	Time   int64   `json:"time"` // its start, in seconds since 1970
	Allow  int     `json:"allow"`
	Review int     `json:"review"`
	Block  int     `json:"block"`
	P50    float64 `json:"p50"` // of row.Took, in milliseconds
	P95    float64 `json:"p95"`
}

// keptSeconds is the length of the Live page's curves in seconds.
const keptSeconds = 300

// timeline summarises rows, which arrive in the order of their times, by second.
type timeline struct {
	done  []second // oldest first, at most keptSeconds, without empty seconds
	now   second
	took  []float64 // of now
	began time.Time // start of now by our own clock, which may differ from the stream's
}

// lateness is how late a second's last decisions may arrive.
const lateness = 200 * time.Millisecond

// add counts a decision. The times of reviews do not count, because they depend on people.
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

// close ends the current second.
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

// since returns the complete seconds after at.
func (t *timeline) since(at int64, clock time.Time) []second {
	if clock.Sub(t.began) > time.Second+lateness {
		t.close()
	}
	first, _ := slices.BinarySearchFunc(t.done, at+1, func(s second, at int64) int { return int(s.Time - at) })
	return slices.Clone(t.done[first:])
}
