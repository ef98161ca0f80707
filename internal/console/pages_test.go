package console_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"image"
	"image/jpeg"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"moderator/internal/event"
	"moderator/internal/matchdb"
)

const evil = `<script>alert(1)</script><img src=x onerror=alert(2)>`

func sha256Hex(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// One moderator serves all subtests, because its start takes longer than them.
func TestConsole(t *testing.T) {
	s := start(t, "--review-break", "1ms", "--console-user-header", "X-User", "--console-roles", "vera=viewer", "--console-roles", "rita=reviewer")
	t.Run("empty pages", s.emptyPages)
	t.Run("hostile names", s.hostileNames)
	t.Run("picture", s.pictures)
	t.Run("review", s.reviews)
	t.Run("allow-list", s.allowList)
	t.Run("compare", s.compare)
	t.Run("search", s.search)
	t.Run("live", s.live)
	t.Run("library", s.library)
	t.Run("queue", s.queue)
	t.Run("claims", s.claims)
	t.Run("undo", s.undo)
	t.Run("undo allow-list", s.undoList)
	t.Run("judge again", s.judgeAgain)
	t.Run("originals", s.originals)
	t.Run("curate", s.curate)
	t.Run("roles", s.roles)
	t.Run("break", s.breaks)
	t.Run("quarantine", s.quarantine)
	t.Run("exchanges", s.exchanges)
	t.Run("feedback", s.feedback)
}

func (s *stand) emptyPages(t *testing.T) {
	s.t = t
	for path, want := range map[string]string{
		"/live": "Decisions per second", "/review": "Nothing waits", "/compare": "Compare", "/search": "Search", "/library": "Banks", "/exchanges": "There is no exchange",
	} {
		page := s.get(path)
		require.Equal(t, http.StatusOK, page.code, page.body)
		require.Contains(t, page.body, want)
		require.NotContains(t, page.body, `class="problem"`)
	}
	require.Equal(t, "/live", s.get("/").header.Get("Location"))
	require.Equal(t, http.StatusNotFound, s.get("/nowhere").code)
	for _, path := range []string{"/decisions/1", "/decisions/x", "/decisions/0/picture"} {
		require.Equal(t, http.StatusNotFound, s.get(path).code, path)
	}
	require.Equal(t, http.StatusOK, s.get("/assets/live.js").code)
}

// Texts of publishers and of people are shown and never executed.
func (s *stand) hostileNames(t *testing.T) {
	s.t = t
	body, err := json.Marshal(map[string]any{"id": evil, "url": s.web.URL + "/none?" + evil, evil: map[string]string{"a": evil}})
	require.NoError(t, err)
	n, decided := s.upload(nats.Header{"Content-Type": {"application/json"}}, body)
	require.Equal(t, event.FetchFailed, decided.Data.Reason)
	for _, path := range []string{"/decisions/" + strconv.FormatUint(n, 10), "/review"} {
		page := s.get(path)
		require.Equal(t, http.StatusOK, page.code, page.body)
		require.Contains(t, page.body, "&lt;script&gt;alert(1)")
		s.harmless(page.body)
	}
	picture := s.get("/decisions/" + strconv.FormatUint(n, 10) + "/picture")
	require.Equal(t, http.StatusGone, picture.code)
	require.Contains(t, picture.header.Get("Content-Type"), "text/plain")
	page := s.send("/compare", sent{"a", evil + ".jpg", []byte("no picture")}, sent{"b", "b.jpg", []byte("no")})
	require.Equal(t, http.StatusUnprocessableEntity, page.code)
	require.Contains(t, page.body, "&lt;img src=x onerror=alert(2)&gt;.jpg: not a picture format")
	s.harmless(page.body)
	page = s.review(n, url.Values{"decision": {evil}, "note": {`"` + evil}})
	require.Equal(t, http.StatusBadRequest, page.code)
	s.harmless(page.body)
	s.review(n, url.Values{"decision": {"allow"}, "note": {evil}})
	s.harmless(s.get("/library").body)
}

func (s *stand) harmless(page string) {
	s.t.Helper()
	require.NotContains(s.t, page, "<script>")
	require.NotContains(s.t, page, "<img src=x")
	require.NotContains(s.t, page, " style=")
}

func (s *stand) pictures(t *testing.T) {
	s.t = t
	good := picture(t, 0)
	n, decided := s.refer("shown", "/shown.jpg", []byte("no picture"))
	path := "/decisions/" + strconv.FormatUint(n, 10) + "/picture"
	require.Equal(t, event.Unsupported, decided.Data.Reason)
	require.Equal(t, http.StatusUnprocessableEntity, s.get(path).code)
	s.put("/shown.jpg", good)
	require.Equal(t, http.StatusConflict, s.get(path).code, "it is another picture now")

	// A flag that was added after the decision.
	n, decided = s.refer("late", "/late.jpg", nil)
	require.Equal(t, event.Review, decided.Data.Verdict)
	require.Empty(t, decided.Data.Upload.SHA256)
	s.put("/late.jpg", good)
	path = "/decisions/" + strconv.FormatUint(n, 10) + "/picture"
	require.Equal(t, http.StatusOK, s.get(path).code)

	blurred, clear := s.decode(path), s.decode(path+"?clear")
	require.Equal(t, image.Pt(400, 300), clear.Bounds().Size())
	require.Equal(t, clear.Bounds(), blurred.Bounds())
	require.IsType(t, &image.Gray{}, blurred)
	require.Less(t, detail(blurred)*5, detail(clear), "the blurred one shows next to nothing")

	// A browser remembers blur and grey apart.
	for chosen, want := range map[string]struct{ grey, sharp bool }{
		"strong.grey": {grey: true}, "medium.colour": {}, "none.grey": {true, true}, "none.colour": {sharp: true}, "nothing.known": {grey: true},
	} {
		shown := s.decodeAs(path, chosen)
		_, grey := shown.(*image.Gray)
		require.Equal(t, want.grey, grey, chosen)
		require.Equal(t, want.sharp, detail(shown)*1.5 > detail(clear), chosen)
	}
	require.Less(t, detail(s.decodeAs(path, "strong.grey")), detail(s.decodeAs(path, "light.grey")))

	n, _ = s.upload(nil, []byte("inside its message"))
	inside := s.get("/decisions/" + strconv.FormatUint(n, 10) + "/picture")
	require.Equal(t, http.StatusGone, inside.code)
	require.Contains(t, inside.body, "not kept")
}

func (s *stand) decode(path string) image.Image { return s.decodeAs(path, "") }

// decodeAs returns a picture as a browser gets it that has chosen a look.
func (s *stand) decodeAs(path, look string) image.Image {
	s.t.Helper()
	r, err := http.NewRequest(http.MethodGet, s.url+path, nil)
	require.NoError(s.t, err)
	if look != "" {
		r.AddCookie(&http.Cookie{Name: "moderator_look", Value: look})
	}
	got := s.do(r, nil)
	require.Equal(s.t, http.StatusOK, got.code, got.body)
	shown, err := jpeg.Decode(bytes.NewReader([]byte(got.body)))
	require.NoError(s.t, err)
	return shown
}

// detail returns the mean difference of neighbouring pixels.
func detail(picture image.Image) float64 {
	b, sum := picture.Bounds(), 0.0
	grey := func(x, y int) float64 { r, g, b, _ := picture.At(x, y).RGBA(); return float64(r+g+b) / 3 / 257 }
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X + 1; x < b.Max.X; x++ {
			d := grey(x, y) - grey(x-1, y)
			sum += d * d
		}
	}
	return sum
}

func (s *stand) live(t *testing.T) {
	s.t = t
	read := func(query string) (first map[string]any) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/live/events"+query, nil)
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+token)
		response, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer response.Body.Close()
		require.Equal(t, "text/event-stream", response.Header.Get("Content-Type"))
		lines := bufio.NewScanner(response.Body)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				first = nil
				require.NoError(t, json.Unmarshal([]byte(data), &first))
				if first["rows"] != nil {
					return first
				}
			}
		}
		t.Fatal("the stream ended")
		return nil
	}
	all := read("")["rows"].([]any)
	reviewed := read("?verdict=allow&reason=reviewed")["rows"].([]any)
	require.Less(t, len(reviewed), len(all))
	for _, r := range reviewed {
		require.Equal(t, "allow", r.(map[string]any)["verdict"])
		require.Equal(t, "reviewed", r.(map[string]any)["reason"])
	}
	filtered := s.get("/live?verdict=allow&reason=reviewed").body
	require.Contains(t, filtered, `<option value="reviewed" selected>`)
	require.NotContains(t, filtered, "No decisions yet", "the filter may be why the page is empty")
	require.Contains(t, s.get("/live").body, "No decisions yet")
}

// breaks reminds who reviews, and nobody else.
func (s *stand) breaks(t *testing.T) {
	s.t = t
	require.NotContains(t, s.as("fresh", http.MethodGet, "/review", nil).body, "without a break")
	n := s.seed(6000, func(d *event.Decision) { d.Upload.ID = "grave" })
	form := url.Values{"decision": {"block"}, "decision_id": {s.last().ID}}
	require.Equal(t, http.StatusSeeOther, s.as("fresh", http.MethodPost, "/review/"+text(n), form).code)
	require.Eventually(t, func() bool { // until a millisecond has passed
		return strings.Contains(s.as("fresh", http.MethodGet, "/review", nil).body, "without a break (1 decided, 1 blocked)")
	}, time.Minute, time.Millisecond)
}

func (s *stand) library(t *testing.T) {
	s.t = t
	page := s.get("/library").body
	require.Contains(t, page, "copydetect")
	require.Contains(t, page, "allowed_pdq_hnsw")
	require.Contains(t, page, "review", "the audit log has the changes of this test")
}

func (s *stand) quarantine(t *testing.T) {
	s.t = t
	require.NotContains(t, s.get("/library").body, "in quarantine")
	models, err := s.db.Models(t.Context())
	require.NoError(t, err)
	flag, err := s.db.Flag(t.Context(), matchdb.NewFlag{Bank: "default", SHA256: sha256Hex([]byte("q")), Source: evil, By: "mo", Model: models[0].Fingerprint})
	require.NoError(t, err)
	_, err = s.db.QuarantineFlag(t.Context(), flag.ID, 1234)
	require.NoError(t, err)
	page := s.get("/library").body
	require.Contains(t, page, "Flags in quarantine")
	require.Contains(t, page, flag.ID.String())
	require.Contains(t, page, "1\u202f234")
	s.harmless(page)
	release := "/flags/" + flag.ID.String() + "/release"
	require.Contains(t, s.get("/flags/"+flag.ID.String()).body, release)
	require.Equal(t, http.StatusNotFound, s.post("/flags/x/release", url.Values{"reason": {"x"}}).code)
	require.Equal(t, http.StatusBadRequest, s.post(release, url.Values{}).code, "without a reason")
	done := s.post(release, url.Values{"reason": {"a campaign"}})
	require.Equal(t, http.StatusSeeOther, done.code, done.body)
	require.NotContains(t, s.get("/library").body, "Flags in quarantine")
	changes, err := s.db.Audit(t.Context(), matchdb.AuditFilter{Limit: 1})
	require.NoError(t, err)
	require.Equal(t, []string{"quarantine", "update", "a campaign"}, []string{changes[0].Table, changes[0].Action, changes[0].Reason})
	require.Equal(t, http.StatusNotFound, s.post(release, url.Values{"reason": {"again"}}).code, "it is in quarantine no longer")
}
