package console_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"moderator/internal/decisions"
	"moderator/internal/event"
	"moderator/internal/hashlist"
	"moderator/internal/matchdb"
)

// last returns the newest decision in the stream.
func (s *stand) last() event.CloudEvent {
	s.t.Helper()
	stream, err := s.js.Stream(s.t.Context(), "DECISIONS")
	require.NoError(s.t, err)
	msg, err := stream.GetMsg(s.t.Context(), stream.CachedInfo().State.LastSeq)
	require.NoError(s.t, err)
	e, err := event.DecodeDecision(msg.Data)
	require.NoError(s.t, err)
	require.Equal(s.t, "decisions."+string(e.Data.Verdict), msg.Subject)
	return e
}

func (s *stand) reviews(t *testing.T) {
	s.t = t
	first, decided := s.upload(nats.Header{"Nats-Msg-Id": {"first-one"}}, []byte("no picture"))
	second, waiting := s.upload(nats.Header{"Nats-Msg-Id": {"second-one"}}, []byte("no picture either"))
	queue := s.get("/review?at=" + strconv.FormatUint(first, 10)).body
	require.Regexp(t, `(?s)first-one.*second-one`, queue)
	require.Contains(t, queue, `name="next" value="`+strconv.FormatUint(second, 10)+`"`)
	require.Contains(t, queue, "The picture is not kept")

	// A page from before the stream was created again has another decision's id.
	stale := s.post("/review/"+strconv.FormatUint(first, 10), url.Values{"decision": {"block"}, "decision_id": {waiting.ID}})
	require.Equal(t, http.StatusConflict, stale.code)
	require.Contains(t, stale.body, "is another decision now")
	done := s.review(first, url.Values{"decision": {"block"}, "note": {"seen before"}, "next": {strconv.FormatUint(second, 10)}})
	require.Equal(t, http.StatusSeeOther, done.code, done.body)
	after := s.get(done.header.Get("Location")).body
	require.Contains(t, after, "first-one</a> is decided and published")
	require.Contains(t, after, `<h2 class="wrap">second-one</h2>`)

	e := s.last()
	require.Equal(t, decided.ID+":reviewed", e.ID)
	require.Equal(t, event.Block, e.Data.Verdict)
	require.Equal(t, event.Reviewed, e.Data.Reason)
	require.Equal(t, decided.ID, e.Data.Review.Of)
	require.True(t, decided.Time.Equal(e.Data.Review.At))
	require.Equal(t, decided.Data.Reason, e.Data.Review.Reason)
	require.Equal(t, decided.Data.Upload.SHA256, e.Data.Upload.SHA256)

	changes, err := s.db.Audit(t.Context(), matchdb.AuditFilter{Limit: 1})
	require.NoError(t, err)
	require.Equal(t, "review", changes[0].Table)
	require.Equal(t, "seen before", changes[0].Reason)
	require.Equal(t, e.Data.Review.By, changes[0].By)

	again := s.review(first, url.Values{"decision": {"allow"}})
	require.Equal(t, http.StatusConflict, again.code)
	require.Contains(t, again.body, "was reviewed already: block by")
	require.Equal(t, e.ID, s.last().ID, "nothing is published twice")
	require.NotContains(t, s.get("/review").body, `<b class="wrap">first-one</b>`)

	blocked := s.get("/decisions/" + strconv.FormatUint(first, 10)).body
	require.Contains(t, blocked, "Reviewed:")
	require.NotContains(t, blocked, "waits for a person")
	require.Equal(t, http.StatusConflict, s.review(s.sequenceOfLast(), url.Values{"decision": {"allow"}}).code,
		"a person's decision is not reviewed again")
	require.Equal(t, http.StatusGone, s.review(second, url.Values{"decision": {"list"}}).code,
		"what is not kept cannot be listed")

	_, err = s.js.Publish(t.Context(), "decisions.allow", []byte("{}"), jetstream.WithMsgID(waiting.ID+":reviewed"))
	require.NoError(t, err)
	dropped := s.review(second, url.Values{"decision": {"block"}})
	require.Equal(t, http.StatusServiceUnavailable, dropped.code)
	require.Contains(t, dropped.body, "does not have it")
	require.Contains(t, dropped.body, waiting.ID+":reviewed")
	require.Contains(t, s.get("/review").body, "second-one", "a review that the stream does not store does not count")
}

// review submits the form of the Review page for decision n.
func (s *stand) review(n uint64, form url.Values) answer {
	s.t.Helper()
	stream, err := s.js.Stream(s.t.Context(), "DECISIONS")
	require.NoError(s.t, err)
	msg, err := stream.GetMsg(s.t.Context(), n)
	require.NoError(s.t, err)
	e, err := event.DecodeDecision(msg.Data)
	require.NoError(s.t, err)
	form.Set("decision_id", e.ID)
	return s.post("/review/"+strconv.FormatUint(n, 10), form)
}

// What a reviewer decides waits as feedback for the exchange whose flag the upload matched.
func (s *stand) feedback(t *testing.T) {
	s.t = t
	require.NoError(t, s.db.AddBank(t.Context(), "theirs", "ann", ""))
	exchange := matchdb.Exchange{Name: "x", Programme: "ncmec", Bank: "theirs", Settings: json.RawMessage(`{"feedback": true}`)}
	require.NoError(t, s.db.AddExchange(t.Context(), exchange, "ann", ""))
	fetch, err := s.db.LockExchange(t.Context(), "x")
	require.NoError(t, err)
	defer fetch.Close()
	entry := matchdb.ExchangeEntry{Key: "42/image1", Flags: []hashlist.Flag{{MD5: make([]byte, 16)}}}
	_, err = fetch.Store(t.Context(), matchdb.ExchangePage{Entries: []matchdb.ExchangeEntry{entry}})
	require.NoError(t, err)
	flags, err := s.db.Select(t.Context(), matchdb.Selection{Bank: "theirs"}, false)
	require.NoError(t, err)

	_, decided := s.upload(nats.Header{"Nats-Msg-Id": {"matched-one"}}, []byte("no picture at all"))
	matched := decided.Data
	matched.Upload.Sequence += 1000 // another decision than the consumer's
	matched.Matches = []event.MatchInfo{{FlaggedID: flags[0].ID.String(), Bank: "theirs"}}
	_, _, err = decisions.Store(t.Context(), s.js, matched)
	require.NoError(t, err)
	done := s.review(s.sequenceOfLast(), url.Values{"decision": {"block"}})
	require.Equal(t, http.StatusSeeOther, done.code, done.body)
	waiting, err := fetch.PendingFeedback(t.Context(), 10)
	require.NoError(t, err)
	require.Equal(t, []matchdb.Feedback{{Entry: "42/image1", Signal: "md5", Opinion: matchdb.Confirmed}}, waiting)
}

func (s *stand) sequenceOfLast() uint64 {
	stream, err := s.js.Stream(s.t.Context(), "DECISIONS")
	require.NoError(s.t, err)
	return stream.CachedInfo().State.LastSeq
}

// An allowed picture on the allow-list stays allowed.
func (s *stand) allowList(t *testing.T) {
	s.t = t
	n, _ := s.refer("innocent", "/innocent.jpg", nil)
	s.put("/innocent.jpg", picture(t, 3))
	done := s.review(n, url.Values{"decision": {"list"}, "note": {"a poster"}})
	require.Equal(t, http.StatusSeeOther, done.code, done.body)
	require.Equal(t, event.Allow, s.last().Data.Verdict)
	list, err := s.db.AllowList(t.Context())
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Equal(t, "a poster", list[0].Note)
	require.Contains(t, list[0].Source, "innocent")
	found := s.send("/search", sent{"picture", "again.jpg", picture(t, 3)}).body
	require.Contains(t, found, "same file")
	require.Contains(t, found, "a poster")
}

func (s *stand) compare(t *testing.T) {
	s.t = t
	a := picture(t, 0)
	same := s.send("/compare", sent{"a", "a.jpg", a}, sent{"b", "b.jpg", a})
	require.Equal(t, http.StatusOK, same.code, same.body)
	require.Contains(t, same.body, "the very same file")
	require.Contains(t, same.body, "0 of 256 bits differ")
	require.Contains(t, same.body, `<span class="verdict block">block</span>`)
	other := s.send("/compare", sent{"a", "a.jpg", a}, sent{"b", "b.jpg", picture(t, 12)}).body
	require.Contains(t, other, "different files")
	require.Contains(t, other, `<span class="verdict allow">allow</span>`)
	part := s.send("/compare", sent{"a", "a.jpg", a}, sent{"b", "b.jpg", quarter(t, 0)}).body
	require.Regexp(t, `[1-9]\d* inliers`, part)
	require.Contains(t, part, ">keypoints</td>")
	require.Equal(t, http.StatusBadRequest, s.send("/compare", sent{"a", "a.jpg", a}).code)
}

func (s *stand) search(t *testing.T) {
	s.t = t
	empty := s.send("/search", sent{"picture", "a.jpg", picture(t, 0)})
	require.Equal(t, http.StatusOK, empty.code, empty.body)
	require.Contains(t, empty.body, "Nothing is flagged")
	models, err := s.db.Models(t.Context())
	require.NoError(t, err)
	vector := make([]float32, models[0].Dims)
	vector[0] = 1
	_, err = s.db.Flag(t.Context(), matchdb.NewFlag{
		Bank: "default", SHA256: sha256Hex(picture(t, 0)), Source: evil, By: "ann", Model: models[0].Fingerprint,
		Embeddings: []matchdb.Embedding{{View: "original", Vector: vector}},
	})
	require.NoError(t, err)
	found := s.send("/search", sent{"picture", evil, picture(t, 0)}).body
	require.Contains(t, found, "by sha256")
	require.Contains(t, found, "would be blocked")
	s.harmless(found)

	points := points(t, picture(t, 0))
	_, err = s.db.Flag(t.Context(), matchdb.NewFlag{
		Bank: "default", SHA256: sha256Hex([]byte("another file")), Source: "its points", By: "ann", Model: models[0].Fingerprint,
		Embeddings: []matchdb.Embedding{{View: "original", Vector: vector}}, Keypoints: points,
	})
	require.NoError(t, err)
	found = s.send("/search", sent{"picture", "a.jpg", quarter(t, 0)}).body
	require.Contains(t, found, "by keypoints")
	require.NotContains(t, found, `<span class="verdict allow">allow</span>`)
	require.Regexp(t, `<b>[1-9]\d*</b> inliers`, found)
	require.Equal(t, http.StatusUnprocessableEntity, s.send("/search", sent{"picture", "a.txt", []byte("text")}).code)
}
