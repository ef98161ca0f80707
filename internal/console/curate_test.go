package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"moderator/internal/event"
	"moderator/internal/matchdb"
)

// as sends a request as a user whom the proxy has signed in. No token is sent.
func (s *stand) as(name, method, path string, form url.Values) answer {
	s.t.Helper()
	r, err := http.NewRequest(method, s.url+path, strings.NewReader(form.Encode()))
	require.NoError(s.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Authorization", "by proxy")
	r.Header.Set("X-User", name)
	return s.do(r, nil)
}

// lastChange requires what the audit log says of the last change.
func (s *stand) lastChange(table, action, by, reason string) {
	s.t.Helper()
	changes, err := s.db.Audit(s.t.Context(), matchdb.AuditFilter{Limit: 1})
	require.NoError(s.t, err)
	require.Equal(s.t, []string{table, action, by, reason}, []string{changes[0].Table, changes[0].Action, changes[0].By, changes[0].Reason})
}

// curate keeps the library from the browser.
func (s *stand) curate(t *testing.T) {
	s.t = t
	done := func(path string, form url.Values) string {
		t.Helper()
		got := s.as("carla", http.MethodPost, path, form)
		require.Equal(t, http.StatusSeeOther, got.code, got.body)
		page := s.as("carla", http.MethodGet, got.header.Get("Location"), nil)
		require.Equal(t, http.StatusOK, page.code, page.body)
		return page.body
	}
	because := func(reason string, more ...string) url.Values {
		form := url.Values{"reason": {reason}}
		for i := 0; i < len(more); i += 2 {
			form.Set(more[i], more[i+1])
		}
		return form
	}
	require.Contains(t, done("/banks", because("a campaign", "name", "browser")), "Bank browser")
	s.lastChange("bank", "insert", "carla", "a campaign")
	require.Equal(t, http.StatusConflict, s.as("carla", http.MethodPost, "/banks", because("again", "name", "browser")).code)
	require.Equal(t, http.StatusBadRequest, s.as("carla", http.MethodPost, "/banks", because("bad", "name", "a b")).code)
	require.Equal(t, http.StatusBadRequest, s.as("carla", http.MethodPost, "/banks", because(" ", "name", "silent")).code, "without a reason")
	require.Contains(t, done("/banks/browser", because("too many", "change", "thresholds", "block_at", "0.7", "review_at", "0.4")), "its own")
	s.lastChange("bank_threshold", "insert", "carla", "too many")
	banks, err := s.db.Banks(t.Context(), s.model())
	require.NoError(t, err)
	for _, bank := range banks {
		if bank.Name == "browser" {
			require.Equal(t, []float64{0.7, 0.4}, []float64{bank.BlockAt, *bank.ReviewAt})
		}
	}
	for _, wrong := range []url.Values{
		because("x", "change", "thresholds", "block_at", "much"), because("x", "change", "thresholds", "block_at", "0.1", "review_at", "0.2"), because("x", "change", "erase"),
	} {
		require.Equal(t, http.StatusBadRequest, s.as("carla", http.MethodPost, "/banks/browser", wrong).code, "%v", wrong)
	}
	require.Contains(t, done("/banks/browser", because("a pause", "change", "off")), "Enable the bank")
	require.Contains(t, done("/banks/browser", because("the pause is over", "change", "on")), "Disable the bank")
	require.Equal(t, http.StatusNotFound, s.as("carla", http.MethodPost, "/banks/nowhere", because("x", "change", "off")).code)

	// An upload that is blocked and flagged stops its copies.
	n, decided := s.refer("to be flagged", "/to-flag.jpg", nil)
	s.put("/to-flag.jpg", picture(t, 8))
	require.Contains(t, s.as("carla", http.MethodGet, "/review?at="+text(n), nil).body, `data-key="f"`)
	flagIt := url.Values{"decision": {"flag"}, "into": {"browser"}, "decision_id": {decided.ID}}
	require.Equal(t, http.StatusBadRequest, s.as("carla", http.MethodPost, "/review/"+text(n), flagIt).code, "without a reason")
	flagIt.Set("note", "seen before")
	got := s.as("carla", http.MethodPost, "/review/"+text(n), flagIt)
	require.Equal(t, http.StatusSeeOther, got.code, got.body)
	require.NotContains(t, got.header.Get("Location"), "bank=", "the bank to flag in is no filter")
	require.Equal(t, event.Block, s.last().Data.Verdict)
	flags, err := s.db.ListFlags(t.Context(), matchdb.FlagFilter{Bank: "browser"})
	require.NoError(t, err)
	require.Len(t, flags, 1)
	require.Equal(t, s.web.URL+"/to-flag.jpg", flags[0].Source, "without its query")
	require.Equal(t, []string{"seen before", "carla"}, []string{flags[0].Note, flags[0].CreatedBy})
	copied := func() event.Decision {
		_, copied := s.upload(nats.Header{}, quarter(t, 8))
		return copied.Data
	}
	first := copied()
	require.Equal(t, event.Match, first.Reason, "a part of it, found by keypoints")
	require.Equal(t, flags[0].ID.String(), first.Match.FlaggedID)

	page := "/flags/" + flags[0].ID.String()
	require.Contains(t, s.as("carla", http.MethodGet, page, nil).body, `src="`+page+`/picture"`)
	require.Contains(t, done(page+"/retract", because("a mistake")), "Restore the flag")
	s.lastChange("flagged_image", "update", "carla", "a mistake")
	require.Equal(t, event.NoMatch, copied().Reason)
	require.Equal(t, http.StatusConflict, s.as("carla", http.MethodPost, page+"/retract", because("again")).code)
	restored := done(page+"/restore", because("none after all"))
	require.Contains(t, restored, "Retract the flag")
	require.Contains(t, restored, "a mistake", "its history")
	require.Equal(t, event.Match, copied().Reason)

	// From a decision's page, from an object store.
	store, err := s.js.CreateObjectStore(t.Context(), jetstream.ObjectStoreConfig{Bucket: "uploaded"})
	require.NoError(t, err)
	n, decided = s.upload(nats.Header{"Content-Type": {"application/json"}}, []byte(`{"id": "stored", "object": {"bucket": "uploaded", "name": "9.jpg"}}`))
	_, err = store.PutBytes(t.Context(), "9.jpg", picture(t, 9))
	require.NoError(t, err)
	named := func(reason string) url.Values { return because(reason, "decision_id", decided.ID, "bank", "browser") }
	require.Contains(t, done("/decisions/"+text(n)+"/flag", named("the same")), "object://uploaded/9.jpg")
	require.Contains(t, done("/decisions/"+text(n)+"/allow", named("a poster")), "stored")
	s.lastChange("allowed_image", "insert", "carla", "a poster")
	require.Equal(t, http.StatusConflict, s.as("carla", http.MethodPost, "/decisions/"+text(n)+"/flag", because("x", "decision_id", "another", "bank", "browser")).code)
}

func (s *stand) model() string {
	s.t.Helper()
	models, err := s.db.Models(s.t.Context())
	require.NoError(s.t, err)
	return models[0].Fingerprint
}

// roles keeps each user to what their role allows.
func (s *stand) roles(t *testing.T) {
	s.t = t
	n := s.seed(5000, func(d *event.Decision) { d.Upload.ID = "for a role" })
	waiting := s.last()
	path := "/review/" + text(n)
	viewed := s.as("vera", http.MethodGet, "/review?at="+text(n), nil)
	require.Equal(t, http.StatusOK, viewed.code)
	require.Contains(t, viewed.body, "your role is viewer")
	require.NotContains(t, viewed.body, `data-key="b"`)
	require.NotContains(t, s.as("rita", http.MethodGet, "/review?at="+text(n), nil).body, "vera is looking at it", "who cannot decide claims nothing")
	block := url.Values{"decision": {"block"}, "decision_id": {waiting.ID}}
	for _, refused := range []struct {
		name, path string
		form       url.Values
	}{
		{"vera", path, block},
		{"vera", "/review", url.Values{"of": {"chosen"}, "item": {text(n)}, "decision": {"block"}}},
		{"vera", path + "/take-back", block},
		{"rita", "/banks", url.Values{"name": {"ritas"}, "reason": {"x"}}},
		{"rita", "/banks/default", url.Values{"change": {"off"}, "reason": {"x"}}},
		{"rita", "/flags/00000000-0000-0000-0000-000000000000/retract", url.Values{"reason": {"x"}}},
		{"rita", "/flags/00000000-0000-0000-0000-000000000000/restore", url.Values{"reason": {"x"}}},
		{"rita", "/flags/00000000-0000-0000-0000-000000000000/release", url.Values{"reason": {"x"}}},
		{"rita", "/decisions/" + text(n) + "/flag", url.Values{"reason": {"x"}, "decision_id": {waiting.ID}}},
		{"rita", "/decisions/" + text(n) + "/allow", url.Values{"reason": {"x"}, "decision_id": {waiting.ID}}},
	} {
		got := s.as(refused.name, http.MethodPost, refused.path, refused.form)
		require.Equal(t, http.StatusForbidden, got.code, refused.path)
		require.Contains(t, got.body, "--console-roles")
	}
	flagIt := url.Values{"decision": {"flag"}, "into": {"default"}, "note": {"x"}, "decision_id": {waiting.ID}}
	require.Equal(t, http.StatusBadRequest, s.as("rita", http.MethodPost, path, flagIt).code, "a reviewer flags nothing")
	library := s.as("rita", http.MethodGet, "/library", nil).body
	require.NotContains(t, library, "Create the bank")
	require.NotContains(t, library, "Reviewers in the last seven days")
	require.Contains(t, s.as("carla", http.MethodGet, "/library", nil).body, "Reviewers in the last seven days")
	require.Equal(t, http.StatusSeeOther, s.as("rita", http.MethodPost, path, block).code)
	require.Equal(t, "rita", s.last().Data.Review.By)
}
