package console

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"moderator/internal/event"
)

const (
	liveEvery    = 500 * time.Millisecond // between two polls of the feed
	liveRows     = 10                     // most rows in one event: more than can be read
	firstRows    = 100                    // most rows in the first event
	firstWait    = time.Second            // how long the first event waits for the feed to fill
	heartbeat    = 15 * time.Second
	writeTimeout = 10 * time.Second
)

type livePage struct {
	Verdicts []event.Verdict
	Reasons  []event.Reason
	Banks    []string
	Verdict  event.Verdict
	Reason   event.Reason
	Bank     string
}

func (c *Console) livePage(r *http.Request) (view, error) {
	keep := filterOf(r)
	page := livePage{
		Verdicts: []event.Verdict{event.Block, event.Review, event.Allow},
		Reasons: []event.Reason{
			event.Match, event.NoMatch, event.Undecodable, event.Unsupported, event.TooLarge, event.FetchFailed,
			event.RetriesExhausted, event.AllowListed, event.LowDetail, event.Lookback, event.Reviewed, event.TakenBack,
		},
		Verdict: keep.verdict, Reason: keep.reason, Bank: keep.bank,
	}
	banks, err := c.Library.Banks(r.Context(), c.Model)
	for _, bank := range banks {
		page.Banks = append(page.Banks, bank.Name)
	}
	return view{Page: "live", Title: "Live", Data: page}, err
}

func filterOf(r *http.Request) filter {
	q := r.URL.Query()
	return filter{event.Verdict(q.Get("verdict")), event.Reason(q.Get("reason")), q.Get("bank")}
}

// tick is one server-sent event.
type tick struct {
	Rows    []json.RawMessage `json:"rows,omitempty"`
	Missed  uint64            `json:"missed,omitempty"` // decisions that pass the filter and are not in Rows
	Seconds []second          `json:"seconds,omitempty"`
	Waiting uint64            `json:"waiting"`
	Trouble string            `json:"trouble,omitempty"`
}

// liveEvents sends new decisions as server-sent events, at most two a second.
func (c *Console) liveEvents(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // proxies must not buffer events
	out := http.NewResponseController(w)
	feed, leave := c.live.watch()
	defer leave()
	select {
	case <-feed.filled:
	case <-time.After(firstWait):
	case <-r.Context().Done():
	}
	keep, most := filterOf(r), firstRows
	var at place
	var last tick
	var sent time.Time
	every := time.NewTicker(liveEvery)
	defer every.Stop()
	for {
		old := most == firstRows
		news := feed.since(at, keep, most)
		if old {
			news.missed = 0
		}
		if at = news.next; feed.full() {
			most = liveRows
		}
		next := tick{news.rows, news.missed, news.seconds, news.waiting, news.trouble}
		quiet := len(next.Rows)+len(next.Seconds) == 0 && next.Waiting == last.Waiting && next.Trouble == last.Trouble
		if !quiet || time.Since(sent) > heartbeat {
			data, err := json.Marshal(next)
			if err != nil {
				c.Logger.Error("console", "error", err)
				return
			}
			_ = out.SetWriteDeadline(time.Now().Add(writeTimeout))
			if _, err := fmt.Fprintf(w, "data: %s\n\n", data); err != nil {
				return
			}
			if err := out.Flush(); err != nil {
				return
			}
			last, sent = next, time.Now()
		}
		select {
		case <-every.C:
		case <-r.Context().Done():
			return
		case <-c.live.closed:
			return
		}
	}
}
