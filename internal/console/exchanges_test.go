package console_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/hashlist"
	"moderator/internal/matchdb"
)

// Each exchange shows how far it is fetched, what was not taken and what went wrong last.
func (s *stand) exchanges(t *testing.T) {
	s.t = t
	require.Contains(t, s.get("/exchanges").body, "There is no exchange")
	for _, name := range []string{"fetched", "broken", "off"} {
		require.NoError(t, s.db.AddBank(t.Context(), "of-"+name, "ann", ""))
		settings := json.RawMessage(`{"every": "7h", "url": "/nowhere"}`)
		require.NoError(t, s.db.AddExchange(t.Context(), matchdb.Exchange{Name: name, Programme: "list", Bank: "of-" + name, Settings: settings}, "ann", ""))
		// The moderator must not fetch it meanwhile.
		require.NoError(t, s.db.SwitchExchange(t.Context(), name, false, "ann", ""))
	}
	fetch := s.fetching("fetched")
	_, err := fetch.Store(t.Context(), matchdb.ExchangePage{
		Entries: []matchdb.ExchangeEntry{{Key: "1", Flags: []hashlist.Flag{{SHA1: make([]byte, 20)}}}}, Refused: map[string]int{evil: 1234},
	})
	require.NoError(t, err)
	_, err = fetch.End(t.Context())
	require.NoError(t, err)
	fetch.Close()
	fetch = s.fetching("broken")
	require.NoError(t, fetch.Fail(t.Context(), errors.New("exchange broken: "+evil)))
	fetch.Close()

	page := s.get("/exchanges")
	require.Equal(t, http.StatusOK, page.code, page.body)
	s.harmless(page.body)
	for _, want := range []string{
		`<th data-label="Exchange">fetched</th><td data-label="Programme">list</td><td data-label="Bank">of-fetched</td>`, `, just now <span class="muted">every 7h</span>`,
		`data-label="Hashes">1</td><td class="number" data-label="Refused">1` + "\u202f" + `234</td>`, `<span>never <span class="muted">every 7h</span>`,
		`<p class="problem wrap">exchange broken: &lt;script&gt;`, `class="wrap">&lt;script&gt;`, `<span class="verdict review">disabled</span>`,
	} {
		require.Contains(t, page.body, want)
	}
}

// fetching is a fetch that has begun.
func (s *stand) fetching(name string) *matchdb.ExchangeFetch {
	s.t.Helper()
	fetch, err := s.db.LockExchange(s.t.Context(), name)
	require.NoError(s.t, err)
	require.NoError(s.t, fetch.Begin(s.t.Context(), true))
	return fetch
}
