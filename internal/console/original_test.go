package console_test

import (
	"encoding/json"
	"fmt"
	"image"
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"moderator/internal/event"
	"moderator/internal/matchdb"
)

// flag flags a picture by its file, with a source.
func (s *stand) flag(bank, source string, data []byte) uuid.UUID {
	s.t.Helper()
	models, err := s.db.Models(s.t.Context())
	require.NoError(s.t, err)
	result, err := s.db.Flag(s.t.Context(), matchdb.NewFlag{Bank: bank, SHA256: sha256Hex(data), Source: source, By: "ann", Model: models[0].Fingerprint})
	require.NoError(s.t, err)
	return result.ID
}

// originals shows the flagged picture beside the upload, and what agrees in them.
func (s *stand) originals(t *testing.T) {
	s.t = t
	whole, part := picture(t, 6), quarter(t, 6)
	s.put("/original.jpg", whole)
	s.put("/part.jpg", part)
	require.NoError(t, s.db.AddBank(t.Context(), "originals", "ann", ""))
	flag := s.flag("originals", s.web.URL+"/original.jpg", whole)
	matched := func(i int, flag uuid.UUID, differs event.DiffersInfo) string {
		match := event.MatchInfo{FlaggedID: flag.String(), Bank: "originals", Differs: differs}
		return text(s.seed(4000+i, func(d *event.Decision) {
			d.Reason, d.Match, d.Matches = event.Match, &match, []event.MatchInfo{match}
			d.Upload.ID, d.Upload.URL, d.Upload.SHA256 = fmt.Sprint("part-", i), s.web.URL+"/part.jpg", sha256Hex(part)
		}))
	}
	n := matched(0, flag, event.DiffersInfo{X: 0.25, Y: 0.5, Width: 0.25, Height: 0.25, Share: 0.1})
	flagPicture := "/flags/" + flag.String() + "/picture"
	for _, page := range []string{"/review?at=" + n, "/decisions/" + n} {
		body := s.get(page).body
		require.Contains(t, body, `src="`+flagPicture+`"`)
		require.Contains(t, body, `data-outline="/decisions/`+n+`/outline"`)
	}
	blurred, clear := s.decode(flagPicture), s.decode(flagPicture+"?clear")
	require.Equal(t, image.Pt(400, 300), clear.Bounds().Size())
	require.IsType(t, &image.Gray{}, blurred)
	require.Less(t, detail(blurred)*5, detail(clear))

	var found struct{ Flag, Upload, Differs [][2]float64 }
	answer := s.get("/decisions/" + n + "/outline")
	require.Equal(t, http.StatusOK, answer.code, answer.body)
	require.NoError(t, json.Unmarshal([]byte(answer.body), &found))
	require.GreaterOrEqual(t, len(found.Upload), 4)
	for _, corner := range found.Flag { // the middle of it
		for _, share := range corner {
			require.InDelta(t, 0.25, min(share, 1-share), 0.05, "%v", found.Flag)
		}
	}
	require.Equal(t, [][2]float64{{0.25, 0.5}, {0.5, 0.5}, {0.5, 0.75}, {0.25, 0.75}}, found.Differs)

	// From an object store.
	bucket, err := s.js.CreateObjectStore(t.Context(), jetstream.ObjectStoreConfig{Bucket: "originals"})
	require.NoError(t, err)
	_, err = bucket.PutBytes(t.Context(), "case 7/one.jpg", picture(t, 7))
	require.NoError(t, err)
	stored := s.flag("originals", "object://originals/case 7/one.jpg", picture(t, 7))
	require.Equal(t, http.StatusOK, s.get("/flags/"+stored.String()+"/picture").code)
	unlike := s.get("/decisions/" + matched(1, stored, event.DiffersInfo{X: 0.25, Share: 0.1}) + "/outline")
	require.JSONEq(t, "{}", unlike.body, "no keypoints agree")

	// What cannot be shown says why.
	for i, test := range []struct {
		source string
		data   []byte
		code   int
		why    string
	}{
		{"case 4711", []byte("by its case"), http.StatusGone, "neither a URL nor an object"},
		{"https://elsewhere.example/a.jpg", []byte("elsewhere"), http.StatusGone, "--fetch-host"},
		{s.web.URL + "/original.jpg", []byte("another file"), http.StatusConflict, "another picture now"},
		{"object://originals/", []byte("nameless"), http.StatusGone, "neither a URL nor an object"},
	} {
		id := s.flag("originals", test.source, test.data)
		got := s.get("/flags/" + id.String() + "/picture")
		require.Equal(t, test.code, got.code, got.body)
		require.Contains(t, got.body, test.why)
		n := matched(10+i, id, event.DiffersInfo{})
		require.Equal(t, test.code, s.get("/decisions/"+n+"/outline").code)
	}
	for _, path := range []string{"/flags/" + uuid.NewString() + "/picture", "/flags/x/picture"} {
		require.Equal(t, http.StatusNotFound, s.get(path).code)
	}
}
