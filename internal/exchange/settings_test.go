package exchange

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"moderator/internal/exchange/fake"
)

func TestCredentialsGoWhereTheyBelong(t *testing.T) {
	b := newBench(t, "ncmec", &fake.Source{Records: 1})
	for text, want := range map[string]string{
		"":                              `its credentials lack "username": write lines of "username: …", "password: …" to the file x in the folder of --exchange-credentials, or to the variable ` + variable("x"),
		"username: a\npassword: secret": "its credentials are not for 127.0.0.1:",
		"username: a\npassword: secret\nurl: http://127.0.0.1:1": "its credentials are not for 127.0.0.1:",
		"username: a\nsecret":                                              "have a line without a colon",
		"username: a\npassword: secret\nurl: " + b.web.URL:                 "it refuses the credentials",
		"username: " + fake.User + "\npassword: secret\nurl: " + b.web.URL: "it refuses the credentials",
	} {
		t.Setenv(variable("x"), text)
		_, err := b.fetcher.Fetch(t.Context(), "x", false)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "secret")
	}
	t.Setenv(variable("x"), "")
	b.fetcher.Credentials = t.TempDir()
	require.NoError(t, os.WriteFile(b.fetcher.Credentials+"/x", []byte(b.credentials+"\nurl: "+b.web.URL+"\n"), 0o600))
	b.fetch()
	b.requireSame()
	b.fetcher.Allow = nil
	_, err := b.fetcher.Fetch(t.Context(), "x", true)
	require.ErrorContains(t, err, "allow its network with --fetch-allow-cidr", "private addresses are refused")
}

// What members dispute or too few confirm goes to the bank for review, and comes back.
func TestOpinionsChooseTheBank(t *testing.T) {
	for _, name := range []string{"ncmec", "stopncii", "threatexchange"} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, name, &fake.Source{Records: 20})
			confirmations := map[string]int{"ncmec": 2, "stopncii": 1, "threatexchange": 1}[name]
			s := b.settings
			s.Confirmations, s.ReviewBank = confirmations, "theirs-review"
			b.replace(s)
			b.source.Vote(1, "up", b.clock)
			b.source.Vote(2, "down", b.clock)
			b.fetch()
			hash := func(index int) (all []string) {
				b.source.Live(func(r fake.Record) {
					if r.Index == index {
						all = b.want(r)
					}
				})
				return all
			}
			for _, h := range hash(1) {
				require.True(t, b.stored("theirs")[h])
			}
			for _, h := range hash(2) {
				require.True(t, b.stored("theirs-review")[h])
				require.False(t, b.stored("theirs")[h])
			}
			b.clock = b.clock.Add(time.Hour)
			b.source.Vote(2, "up", b.clock)
			b.fetch()
			for _, h := range hash(2) {
				require.True(t, b.stored("theirs")[h])
				require.False(t, b.stored("theirs-review")[h])
			}

			s.ReviewBank = ""
			b.replace(s)
			b.source.Vote(3, "down", b.clock)
			b.fetch()
			for _, h := range hash(3) {
				require.False(t, b.stored("theirs")[h], "without a bank for review it is not taken")
			}
			require.Positive(t, b.state().Refused["disputed by members"])
		})
	}
}

func (b *bench) replace(s Settings) {
	b.Helper()
	_, err := b.db.RemoveExchange(b.Context(), "x", "ann", "")
	require.NoError(b, err)
	b.add(s)
}

func TestFilters(t *testing.T) {
	b := newBench(t, "ncmec", &fake.Source{Records: 24})
	b.settings.Members, b.settings.Classes = []string{"41"}, []string{"a1", "A2"}
	b.replace(b.settings)
	b.fetch()
	want := map[string]bool{}
	b.source.Live(func(r fake.Record) {
		if r.Member() == 41 && r.Index%4 < 2 {
			for _, hash := range b.want(r) {
				want[hash] = true
			}
		}
	})
	require.Equal(t, want, b.stored("theirs"))
}

func TestSettingsAreChecked(t *testing.T) {
	for name, c := range map[string]struct {
		programme string
		s         Settings
	}{
		`the programme is "x", wanted one of list, ncmec,`:      {"x", Settings{}},
		`the interval is "1m", wanted a time such as 1h`:        {"ncmec", Settings{Every: "1m"}},
		"synapse has no URL of its own: give it with --url":     {"synapse", Settings{Every: "1h"}},
		"holds a login, a query or a fragment":                  {"tcap", Settings{Every: "1h", URL: "https://a:b@host/"}},
		`the URL is "lists/a.csv", wanted https://host/path`:    {"list", Settings{Every: "1h", URL: "lists/a.csv"}},
		`the URL is "/etc/passwd", wanted https://host/path`:    {"tcap", Settings{Every: "1h", URL: "/etc/passwd"}},
		"the privacy group is \"\", wanted its number: give it": {"threatexchange", Settings{Every: "1h"}},
	} {
		require.ErrorContains(t, c.s.Check(c.programme), name)
	}
	s := Settings{Every: "30m"}
	require.NoError(t, s.Check("ncmec"))
	require.Equal(t, "https://report.cybertip.org/hashsharing", s.URL)
}

// The wait that an answer asks for is kept, up to a bound.
func TestRetryAfter(t *testing.T) {
	b := newBench(t, "threatexchange", &fake.Source{Records: 1, BusyEvery: 2, RetryAfter: "1"})
	b.fetch()
	start := time.Now()
	b.fetch()
	require.GreaterOrEqual(t, time.Since(start), time.Second)
	b.source.RetryAfter = "86400"
	_, err := b.fetcher.Fetch(t.Context(), "x", false)
	require.ErrorContains(t, err, "answered 429 Too Many Requests, and wants to be asked again in 24h0m0s")
}

func TestListOfAFile(t *testing.T) {
	b := newBench(t, "list", &fake.Source{Records: 3})
	path := t.TempDir() + "/list.txt"
	flat := strings.Repeat("0", 60) + "ffff"
	require.NoError(t, os.WriteFile(path, []byte("pdq "+strings.Repeat("0f", 32)+"\npdq "+flat+"\nmd5 "+strings.Repeat("0", 32)+"\nsha1 "+strings.Repeat("0", 40)+"\nsha256 "+strings.Repeat("ab", 32)+"\n"), 0o600))
	b.settings.URL = path
	b.replace(b.settings)
	t.Setenv(variable("x"), "")
	b.fetch()
	require.Equal(t, map[string]bool{"pdq " + strings.Repeat("0f", 32): true, "sha256 " + strings.Repeat("ab", 32): true}, b.stored("theirs"))
	require.Equal(t, map[string]int64{"pdq: of a flat picture": 1, "md5: all zero": 1, "sha1: all zero": 1}, b.state().Refused)
	require.Zero(t, b.fetch().Pages, "the same bytes are not read again")
	require.NoError(t, os.WriteFile(path, []byte("not a list"), 0o600))
	_, err := b.fetcher.Fetch(t.Context(), "x", false)
	require.ErrorContains(t, err, "exchange x: ")
	require.Len(t, b.stored("theirs"), 2)
	require.NoError(t, os.Remove(path))
	_, err = b.fetcher.Fetch(t.Context(), "x", false)
	require.ErrorContains(t, err, "the list cannot be read")
	require.NoError(t, os.WriteFile(path, []byte("sha256 "+strings.Repeat("ab", 32)+"\n"), 0o600))
	b.fetch()
	require.Len(t, b.stored("theirs"), 1)
}
