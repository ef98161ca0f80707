package console_test

import (
	"image"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"moderator/internal/event"
	"moderator/internal/matchdb"
)

// Uploads in review that came inside their messages have a preview, and no others.
func TestPreviews(t *testing.T) {
	s := start(t, "--previews", "previews")
	require.NoError(t, s.db.AddBank(t.Context(), "watch", "ann", ""))
	reviewOnly := matchdb.BankChange{Policy: func(p *matchdb.BankPolicy) { p.ReviewOnly = true }}
	require.NoError(t, s.db.ConfigureBank(t.Context(), "watch", reviewOnly, "ann", ""))
	for i := range 2 {
		s.flag("watch", "case 7", picture(t, i))
	}
	_, allowed := s.upload(nil, picture(t, 12))
	require.Equal(t, event.Allow, allowed.Data.Verdict)
	damaged, _ := s.upload(nil, []byte("no picture"))
	byReference, referred := s.refer("by reference", "/watched.jpg", picture(t, 0))
	require.Equal(t, event.Review, referred.Data.Verdict)
	inline, decided := s.upload(nil, picture(t, 1))
	require.Equal(t, event.Match, decided.Data.Reason)
	require.Equal(t, event.Review, decided.Data.Verdict)

	path := "/decisions/" + text(inline) + "/picture"
	require.Eventually(t, func() bool { return s.get(path).code == http.StatusOK }, time.Minute, 10*time.Millisecond)
	clear := s.decode(path + "?clear")
	require.Equal(t, image.Pt(320, 240), clear.Bounds().Size())
	blurred := s.decode(path)
	require.IsType(t, &image.Gray{}, blurred)
	require.Less(t, detail(blurred)*5, detail(clear))
	require.Contains(t, s.get("/review?at="+text(inline)).body, `src="`+path+`"`)

	gone := s.get("/decisions/" + text(damaged) + "/picture")
	require.Equal(t, http.StatusGone, gone.code)
	require.Contains(t, gone.body, "no preview")
	require.Equal(t, http.StatusOK, s.get("/decisions/"+text(byReference)+"/picture").code, "from its source")
	store, err := s.js.ObjectStore(t.Context(), "previews")
	require.NoError(t, err)
	kept, err := store.List(t.Context())
	require.NoError(t, err)
	require.Len(t, kept, 1, "neither the allowed, the damaged, nor the one by reference")
	require.Equal(t, decided.Data.Upload.Key(), kept[0].Name)
	status, err := store.Status(t.Context())
	require.NoError(t, err)
	require.Equal(t, 168*time.Hour, status.TTL(), "as long as decisions")
}
