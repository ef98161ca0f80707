package console_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"moderator/internal/decisions"
	"moderator/internal/event"
)

// seed stores a decision of verdict review and returns its sequence number.
func (s *stand) seed(i int, change func(*event.Decision)) uint64 {
	s.t.Helper()
	d := event.Decision{Verdict: event.Review, Reason: event.FetchFailed, Upload: event.UploadInfo{
		ID: fmt.Sprintf("seeded-%03d", i), Stream: "SEEDED", Sequence: uint64(i + 1), Stored: time.Now(),
		Attributes: map[string]json.RawMessage{"uploader": json.RawMessage(fmt.Sprintf(`"u-%d"`, i%3))},
	}}
	change(&d)
	_, duplicate, err := decisions.Store(s.t.Context(), s.js, d)
	require.NoError(s.t, err)
	require.False(s.t, duplicate)
	return s.sequenceOfLast()
}

// queue works through a queue of more than a page.
func (s *stand) queue(t *testing.T) {
	s.t = t
	const failed, matched = 70, 12
	var broken, near []uint64
	for i := range failed {
		broken = append(broken, s.seed(i, func(*event.Decision) {}))
	}
	for i := range matched {
		score := 0.2 + float64(i)/100
		near = append(near, s.seed(failed+i, func(d *event.Decision) {
			d.Reason, d.Signal, d.Score = event.Match, event.SignalPDQ, &score
			d.Match = &event.MatchInfo{Bank: "spam", FlaggedID: "00000000-0000-0000-0000-000000000000"}
		}))
	}
	all := s.get("/review?text=seeded")
	require.Contains(t, all.body, "82 in this filter")
	require.Contains(t, all.body, "fetch failed (")
	require.Contains(t, all.body, "spam (")
	require.Contains(t, all.body, "Page 1 of 2")
	require.Equal(t, broken[:50], numbers(all.body))
	require.Equal(t, append(broken[50:], near...), numbers(s.get("/review?text=SEEDED&page=2").body))
	require.Contains(t, s.get("/review?text=seeded&at="+text(near[0])).body, "Page 2 of 2", "the page of the decision that was asked for")

	// The matches are reached past everything that failed, the likeliest first.
	byScore := s.get("/review?text=seeded&reason=match&sort=score").body
	require.Contains(t, byScore, "12 in this filter")
	require.Equal(t, near[matched-1], numbers(byScore)[0])
	require.Len(t, numbers(s.get("/review?text=U-1&signal=pdq").body), matched/3)
	done := s.review(near[matched-1], url.Values{"decision": {"block"}, "text": {"seeded"}, "reason": {"match"}, "sort": {"score"}, "next": {text(near[matched-2])}})
	require.Equal(t, http.StatusSeeOther, done.code)
	after := s.get(done.header.Get("Location")).body
	require.Equal(t, near[matched-2], numbers(after)[0], "the filter stays")
	require.Contains(t, after, "seeded-081</a> is decided")

	// An address shows its decision, or says why not, and never another one with live keys.
	reviewed := s.get("/review?at=" + text(near[matched-1]))
	require.Equal(t, http.StatusConflict, reviewed.code)
	require.Contains(t, reviewed.body, "was reviewed already: block by")
	require.NotContains(t, reviewed.body, `data-key="b"`)
	require.Equal(t, http.StatusNotFound, s.get("/review?reason=match&at="+text(broken[0])).code)

	// Several are decided together, when their number is what was seen.
	wrong := s.post("/review", url.Values{"of": {"filter"}, "text": {"seeded"}, "reason": {"fetch_failed"}, "count": {"69"}, "decision": {"allow"}})
	require.Equal(t, http.StatusConflict, wrong.code)
	require.Contains(t, wrong.body, "Nothing was decided")
	chosen := s.post("/review", url.Values{"of": {"chosen"}, "item": {text(broken[0]), text(near[0])}, "decision": {"block"}, "note": {"both"}})
	require.Equal(t, http.StatusSeeOther, chosen.code, chosen.body)
	require.Contains(t, s.get(chosen.header.Get("Location")).body, "2 decided and published")
	late := s.post("/review", url.Values{"of": {"chosen"}, "item": {text(broken[0]), text(broken[1])}, "decision": {"block"}})
	require.Equal(t, http.StatusConflict, late.code)
	require.Contains(t, late.body, "1 of the 2 chosen decisions wait")
	rest := s.post("/review", url.Values{"of": {"filter"}, "text": {"seeded"}, "reason": {"fetch_failed"}, "count": {"69"}, "decision": {"allow"}})
	require.Equal(t, http.StatusSeeOther, rest.code, rest.body)
	require.Equal(t, near[1:matched-1], numbers(s.get("/review?text=seeded").body))
	require.Equal(t, event.Reviewed, s.last().Data.Reason)
	require.Equal(t, http.StatusBadRequest, s.post("/review", url.Values{"of": {"filter"}, "text": {"seeded"}, "count": {"10"}, "decision": {"list"}}).code)
}

var item = regexp.MustCompile(`[?&;]at=(\d+)" data-row`)

// numbers returns the sequence numbers on a page of the queue, in its order.
func numbers(page string) (all []uint64) {
	for _, found := range item.FindAllStringSubmatch(page, -1) {
		n, _ := strconv.ParseUint(found[1], 10, 64)
		all = append(all, n)
	}
	return all
}

func text(n uint64) string { return strconv.FormatUint(n, 10) }

// claims gives two people different decisions.
func (s *stand) claims(t *testing.T) {
	s.t = t
	var all []uint64
	for i := range 4 {
		all = append(all, s.seed(1000+i, func(d *event.Decision) { d.Upload.ID = fmt.Sprint("claimed-", i) }))
	}
	as := func(name, path string) string {
		r, err := http.NewRequest(http.MethodGet, s.url+path, nil)
		require.NoError(t, err)
		r.Header.Set("Authorization", "by cookie")
		response := http.Response{Header: s.post("/login", url.Values{"token": {token}, "name": {name}}).header}
		for _, cookie := range response.Cookies() {
			r.AddCookie(cookie)
		}
		return s.do(r, nil).body
	}
	ann, ben := as("ann", "/review?text=claimed"), as("ben", "/review?text=claimed")
	require.Contains(t, ann, `<h2 class="wrap">claimed-0</h2>`)
	require.Contains(t, ben, `<h2 class="wrap">claimed-1</h2>`)
	require.Contains(t, ben, "ann is looking at it")
	require.Contains(t, as("ann", "/review?text=claimed&next="+text(all[1])), `<h2 class="wrap">claimed-2</h2>`, "ben's is passed over")
	require.Contains(t, as("ben", "/review?text=claimed&at="+text(all[2])), "ann is looking at it", "who asks for it sees it")
	require.Contains(t, as("ben", "/review?text=claimed"), `<h2 class="wrap">claimed-0</h2>`, "ann has left it")

	// A page follows what others do.
	require.Equal(t, http.StatusSeeOther, s.review(all[3], url.Values{"decision": {"allow"}}).code)
	items := url.Values{"text": {"claimed"}, "item": {text(all[0]), text(all[1]), text(all[3])}}
	var state struct {
		Waiting, Found int
		Items          map[string]string
	}
	require.NoError(t, json.Unmarshal([]byte(as("ann", "/review/state?"+items.Encode())), &state))
	require.Equal(t, 3, state.Found)
	require.Greater(t, state.Waiting, 3)
	require.Equal(t, map[string]string{text(all[0]): "ben", text(all[1]): ""}, state.Items)
}
