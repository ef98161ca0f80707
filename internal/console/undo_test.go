package console_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"moderator/internal/event"
	"moderator/internal/matchdb"
)

// takeBack submits the form that takes a review of decision n back.
func (s *stand) takeBack(n uint64, id string, form url.Values) answer {
	s.t.Helper()
	form.Set("decision_id", id)
	return s.post("/review/"+text(n)+"/take-back", form)
}

// undo takes a review back, twice, and from either page.
func (s *stand) undo(t *testing.T) {
	s.t = t
	n := s.seed(2000, func(d *event.Decision) { d.Upload.ID = "undone" })
	waiting := s.last()
	require.Equal(t, http.StatusConflict, s.takeBack(n, waiting.ID, url.Values{}).code, "nobody has reviewed it")
	done := s.review(n, url.Values{"decision": {"allow"}, "text": {"undone"}})
	require.Equal(t, http.StatusSeeOther, done.code, done.body)
	reviewed := s.sequenceOfLast()
	require.Contains(t, s.get(done.header.Get("Location")).body, `action="/review/`+text(n)+`/take-back"`)
	for _, page := range []uint64{n, reviewed} { // the decision, and the review of it
		require.Contains(t, s.get("/decisions/"+text(page)).body, `action="/review/`+text(n)+`/take-back"`)
	}

	require.Equal(t, http.StatusConflict, s.takeBack(n, "another decision", url.Values{}).code)
	back := s.takeBack(n, waiting.ID, url.Values{"note": {"a slip"}, "text": {"undone"}, "reason": {"fetch_failed"}})
	require.Equal(t, http.StatusSeeOther, back.code, back.body)
	e := s.last()
	require.Equal(t, waiting.ID+":taken_back", e.ID)
	require.Equal(t, event.Review, e.Data.Verdict)
	require.Equal(t, event.TakenBack, e.Data.Reason)
	require.Equal(t, waiting.ID, e.Data.Review.Of)
	require.Equal(t, event.FetchFailed, e.Data.Review.Reason)
	require.Equal(t, waiting.Data.Upload, e.Data.Upload)
	changes, err := s.db.Audit(t.Context(), matchdb.AuditFilter{Limit: 1})
	require.NoError(t, err)
	require.Equal(t, []string{"review", "update", "a slip"}, []string{changes[0].Table, changes[0].Action, changes[0].Reason})

	// It waits again, in the same filter, and is selected.
	queue := s.get(back.header.Get("Location")).body
	require.Contains(t, queue, `<h2 class="wrap">undone</h2>`)
	require.Contains(t, queue, "has taken the review of this upload back")
	require.Equal(t, []uint64{s.sequenceOfLast()}, numbers(queue))
	again := s.takeBack(n, waiting.ID, url.Values{})
	require.Equal(t, http.StatusConflict, again.code)
	require.Contains(t, again.body, "took it back at")
	require.NotContains(t, s.get("/decisions/"+text(reviewed)).body, "take-back")
	require.Equal(t, http.StatusConflict, s.review(n, url.Values{"decision": {"block"}}).code, "the correcting decision is reviewed, not this one")

	second := s.sequenceOfLast()
	require.Equal(t, http.StatusSeeOther, s.review(second, url.Values{"decision": {"block"}}).code)
	require.Equal(t, waiting.ID+":taken_back:reviewed", s.last().ID)
	require.Equal(t, event.FetchFailed, s.last().Data.Review.Reason)
	require.Equal(t, http.StatusSeeOther, s.takeBack(second, e.ID, url.Values{}).code)
	require.Equal(t, waiting.ID+":taken_back:taken_back", s.last().ID)
}

// undoList takes a picture off the allow-list with the review that put it there.
func (s *stand) undoList(t *testing.T) {
	s.t = t
	n, decided := s.refer("listed by mistake", "/mistake.jpg", nil)
	s.put("/mistake.jpg", picture(t, 5))
	before, err := s.db.AllowList(t.Context())
	require.NoError(t, err)
	listing := s.review(n, url.Values{"decision": {"list"}})
	require.Equal(t, http.StatusSeeOther, listing.code, listing.body)
	listed, err := s.db.AllowList(t.Context())
	require.NoError(t, err)
	require.Len(t, listed, len(before)+1)
	require.Equal(t, http.StatusSeeOther, s.takeBack(n, decided.ID, url.Values{}).code)
	after, err := s.db.AllowList(t.Context())
	require.NoError(t, err)
	require.Equal(t, before, after)
}

// judgeAgain judges uploads again whose file server was broken.
func (s *stand) judgeAgain(t *testing.T) {
	s.t = t
	first, decided := s.refer("outage-0", "/outage-0.jpg", nil)
	require.Equal(t, event.FetchFailed, decided.Data.Reason)
	require.Contains(t, s.get("/review?at="+text(first)).body, `data-key="r"`)
	s.put("/outage-0.jpg", picture(t, 20))
	require.Equal(t, http.StatusSeeOther, s.review(first, url.Values{"decision": {"again"}}).code)
	next := s.decidedAgain("outage-0", decided.ID)
	require.Equal(t, event.NoMatch, next.Data.Reason)
	require.Equal(t, decided.Data.Upload.Subject, next.Data.Upload.Subject)
	require.Equal(t, decided.Data.Upload.Attributes, next.Data.Upload.Attributes)
	require.Empty(t, numbers(s.get("/review?text=outage").body))
	require.Equal(t, http.StatusConflict, s.takeBack(first, decided.ID, url.Values{}).code, "what is judged again is not taken back")
	require.Contains(t, s.get("/decisions/"+text(first)).body, "to be judged again")

	// All of a filter; the one whose picture came inside its message is left.
	ids := map[string]string{}
	for i := 1; i < 4; i++ {
		name := fmt.Sprintf("outage-%d", i)
		_, failed := s.refer(name, "/"+name+".jpg", nil)
		ids[name] = failed.ID
	}
	inline := s.seed(3000, func(d *event.Decision) { d.Upload.ID, d.Upload.Stored = "outage-inline", time.Now() })
	require.Equal(t, http.StatusConflict, s.review(inline, url.Values{"decision": {"again"}}).code)
	for name := range ids {
		s.put("/"+name+".jpg", picture(t, 20))
	}
	many := s.post("/review", url.Values{"of": {"filter"}, "text": {"outage"}, "count": {"4"}, "decision": {"again"}})
	require.Equal(t, http.StatusSeeOther, many.code, many.body)
	page := s.get(many.header.Get("Location")).body
	require.Contains(t, page, "3 decided and published")
	require.Contains(t, page, "1 left")
	require.Equal(t, []uint64{inline}, numbers(page))
	for name, id := range ids {
		require.Equal(t, event.NoMatch, s.decidedAgain(name, id).Data.Reason)
	}
}

// decidedAgain waits for another decision on an upload than the one that failed.
func (s *stand) decidedAgain(upload, not string) (found event.CloudEvent) {
	s.t.Helper()
	stream, err := s.js.Stream(s.t.Context(), "DECISIONS")
	require.NoError(s.t, err)
	require.Eventually(s.t, func() bool {
		info, err := stream.Info(s.t.Context())
		require.NoError(s.t, err)
		for n := info.State.LastSeq; n > 0; n-- {
			msg, err := stream.GetMsg(s.t.Context(), n)
			require.NoError(s.t, err)
			if found, err = event.DecodeDecision(msg.Data); err == nil && found.Data.Upload.ID == upload && found.ID != not {
				return true
			}
		}
		return false
	}, time.Minute, 10*time.Millisecond, "%s is not decided again", upload)
	return found
}
