package exchange

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"moderator/internal/exchange/fake"
	"moderator/internal/hashlist"
	"moderator/internal/matchdb"
	"moderator/internal/testenv"
)

const childVariable = "EXCHANGE_TEST_FETCH" // the database of a process that fetches and waits to be killed

func TestMain(m *testing.M) {
	ncmecMost = 300 // so that small sources have several ranges
	if url := os.Getenv(childVariable); url != "" {
		fetchInChild(url)
	}
	os.Exit(testenv.Main(m))
}

// example is a programme's fake, and what a record of it is in the library.
type example struct {
	serve       func(*fake.Source) http.Handler
	credentials string
	settings    Settings
	want        func(fake.Record) []string
	updates     bool // a record has a key beside its hash, and may get other hashes
}

func only(kind string) func(fake.Record) []string {
	return func(r fake.Record) []string {
		return []string{kind + " " + map[string]string{"pdq": r.PDQ, "md5": r.MD5, "sha256": r.SHA256}[kind]}
	}
}

var examples = map[string]example{
	"ncmec": {
		serve: (*fake.Source).NCMEC, credentials: "username: " + fake.User + "\npassword: " + fake.Password, updates: true,
		want: func(r fake.Record) []string {
			if r.HasMD5() {
				return []string{"md5 " + r.MD5, "pdq " + r.PDQ}
			}
			return []string{"sha1 " + r.SHA1, "pdq " + r.PDQ}
		},
	},
	"stopncii": {
		serve: (*fake.Source).StopNCII, credentials: "functions-key: " + fake.User + "\nsubscription-key: " + fake.Password, want: only("pdq"),
	},
	"threatexchange": {
		serve: (*fake.Source).ThreatExchange, credentials: "access-token: " + fake.User + "|" + fake.Password, settings: Settings{Group: "1234"},
		want: func(r fake.Record) []string { return only([]string{"pdq", "md5"}[r.Index%2])(r) },
	},
	"tcap": {
		serve: (*fake.Source).TCAP, credentials: "username: " + fake.User + "\npassword: " + fake.Password, want: only("pdq"), updates: true,
	},
	"synapse": {
		serve: (*fake.Source).Synapse, credentials: "access-token: " + fake.Password,
		want: func(r fake.Record) []string {
			if r.Index%50 == 3 { // whose file is gone
				return nil
			}
			return only("sha256")(r)
		},
	},
	"list": {serve: (*fake.Source).List, want: only("pdq"), updates: true},
}

// bench is a library with one exchange of a fake.
type bench struct {
	*testing.T
	db     *matchdb.DB
	url    string // of the database
	name   string
	source *fake.Source
	web    *httptest.Server
	example
	fetcher *Fetcher
	clock   time.Time
}

func newBench(t *testing.T, name string, source *fake.Source) *bench {
	t.Helper()
	b := &bench{T: t, name: name, source: source, example: examples[name], url: testenv.Postgres(t), clock: fake.Begin.AddDate(1, 0, 0)}
	_, _, err := matchdb.Migrate(t.Context(), b.url)
	require.NoError(t, err)
	b.db, err = matchdb.Open(t.Context(), b.url)
	require.NoError(t, err)
	t.Cleanup(b.db.Close)
	b.web = httptest.NewServer(b.serve(source))
	t.Cleanup(b.web.Close)
	require.NoError(t, b.db.AddBank(t.Context(), "theirs", "ann", ""))
	require.NoError(t, b.db.AddBank(t.Context(), "theirs-review", "ann", ""))
	b.settings.URL, b.settings.Every = b.web.URL, "1h"
	b.add(b.settings)
	t.Setenv(variable("x"), b.credentials+"\nurl: "+b.web.URL)
	b.fetcher = b.newFetcher(b.db)
	b.fetcher.now = func() time.Time { return b.clock }
	return b
}

func (b *bench) add(s Settings) {
	b.Helper()
	require.NoError(b, s.Check(b.name))
	data, err := json.Marshal(s)
	require.NoError(b, err)
	require.NoError(b, b.db.AddExchange(b.Context(), matchdb.Exchange{Name: "x", Programme: b.name, Bank: "theirs", Settings: data}, "ann", ""))
}

func (b *bench) newFetcher(db *matchdb.DB) *Fetcher {
	return &Fetcher{DB: db, Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Logger: slog.New(slog.DiscardHandler), Pause: time.Millisecond}
}

// fetch fetches an hour later.
func (b *bench) fetch() Fetched {
	b.Helper()
	b.clock = b.clock.Add(time.Hour)
	got, err := b.fetcher.Fetch(b.Context(), "x", false)
	require.NoError(b, err)
	return got
}

// stored are the hashes of a bank.
func (b *bench) stored(bank string) map[string]bool {
	b.Helper()
	all := map[string]bool{}
	err := b.db.Dump(b.Context(), matchdb.Dump{Bank: bank}, func(hashlist.Header) error { return nil }, func(f hashlist.Flag) error {
		for kind, sum := range map[string][]byte{"md5 ": f.MD5, "sha1 ": f.SHA1, "sha256 ": f.SHA256} {
			if sum != nil {
				all[kind+hex.EncodeToString(sum)] = true
			}
		}
		for _, p := range f.PDQ {
			all["pdq "+p.Hash.String()] = true
		}
		return nil
	})
	require.NoError(b, err)
	return all
}

// wanted are the hashes that the source has.
func (b *bench) wanted() map[string]bool {
	all := map[string]bool{}
	b.source.Live(func(r fake.Record) {
		for _, hash := range b.want(r) {
			all[hash] = true
		}
	})
	return all
}

// requireSame compares library and source. A whole set in an error would be unreadable.
func (b *bench) requireSame() {
	b.Helper()
	want, got := b.wanted(), b.stored("theirs")
	require.Equal(b, len(want), len(got))
	for hash := range want {
		require.True(b, got[hash], hash)
	}
}

func (b *bench) state() matchdb.ExchangeState {
	b.Helper()
	e, err := b.db.Exchange(b.Context(), "x")
	require.NoError(b, err)
	return e.State
}

// change deletes, updates and adds records.
func (b *bench) change() {
	b.clock = b.clock.Add(time.Hour)
	for i := 10; i < 100; i += 10 {
		b.source.Delete(i, b.clock)
	}
	b.source.Delete(5, b.clock)
	b.source.Restore(5, b.clock)
	for i := range 20 {
		b.source.Restore(b.source.Records+1000+i, b.clock)
		if b.updates {
			b.source.Update(200+i, b.clock)
		}
	}
	b.source.Delete(1, b.clock) // for good
}

func each(t *testing.T, do func(t *testing.T, name string)) {
	for name := range examples {
		t.Run(name, func(t *testing.T) { do(t, name) })
	}
}

func TestFullFetchThenUpdatesAndDeletes(t *testing.T) {
	each(t, func(t *testing.T, name string) {
		b := newBench(t, name, &fake.Source{Records: 1500, Page: 100, Broken: name != "synapse"})
		if name != "list" { // which takes one request
			b.source.BusyEvery, b.source.FailEvery, b.source.RetryAfter = 3, 5, "0"
		}
		first := b.fetch()
		require.True(t, first.Whole)
		b.requireSame()
		s := b.state()
		require.NotNil(t, s.FetchedAt)
		require.Nil(t, s.FailedAt)
		require.EqualValues(t, len(b.wanted()), s.Hashes)
		require.NotEmpty(t, s.Refused, "what is not taken is counted")

		require.Zero(t, b.fetch().Removed, "an hour later nothing has changed")
		b.requireSame()
		b.change()
		next := b.fetch()
		require.Positive(t, next.Forgotten)
		b.requireSame()
		if name != "list" {
			require.False(t, next.Whole)
			require.Less(t, next.Entries, 1000, "only what changed is asked for")
			b.web.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>hello</html>")) })
			_, err := b.fetcher.Fetch(t.Context(), "x", true)
			require.ErrorContains(t, err, "answers with something else than this API's")
			b.requireSame()
		}
	})
}

// A process is killed in the middle of a fetch, and another one goes on.
func TestResumeAfterKill(t *testing.T) {
	each(t, func(t *testing.T, name string) {
		asked := make(chan struct{}, 1)
		released := make(chan struct{})
		b := newBench(t, name, &fake.Source{Records: 1000, Page: 100})
		var once sync.Once
		b.source.Hook = func(number int) {
			// NCMEC's place is known when a range is exhausted.
			if name == "list" || name != "ncmec" && number == 7 || name == "ncmec" && number%3 == 0 && b.state().Hashes > 1400 {
				once.Do(func() {
					asked <- struct{}{}
					<-released
				})
			}
		}
		require.Zero(t, b.source.Requests()) // and the server's goroutines see the hook
		child := startChild(t, b.url)
		select {
		case <-asked:
		case <-child.Done():
			t.Fatal("the child ended: ", child.Err())
		}
		child.Kill()
		close(released)
		b.change()
		rest := b.fetchWhenFree()
		b.requireSame()
		require.False(t, b.state().Whole)
		if name != "list" && name != "synapse" { // which read all again, or ask for each file
			require.Less(t, rest.Entries, 900, "it went on where the killed one was")
		}
	})
}

// fetchWhenFree fetches once the server has noticed that the killed process is gone.
func (b *bench) fetchWhenFree() Fetched {
	b.Helper()
	b.clock = b.clock.Add(time.Hour)
	for {
		got, err := b.fetcher.Fetch(b.Context(), "x", false)
		if errors.Is(err, matchdb.ErrBusy) {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		require.NoError(b, err)
		return got
	}
}

func TestStaleStateIsFetchedAnew(t *testing.T) {
	for _, name := range []string{"stopncii", "threatexchange"} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, name, &fake.Source{Records: 1500})
			b.fetch()
			b.source.Hide(7) // its deletion is not told any more
			require.False(t, b.fetch().Whole)
			require.Len(t, b.stored("theirs"), len(b.wanted())+1)
			execute(t, b.url, "UPDATE exchange_state SET progressed_at = now() - interval '86 days'")
			got := b.fetch()
			require.True(t, got.Whole)
			require.Equal(t, 1, got.Forgotten)
			b.requireSame()
		})
	}
}

// The last state stays, and one line says what to do, without a secret.
func TestSourcesThatRefuse(t *testing.T) {
	b := newBench(t, "threatexchange", &fake.Source{Records: 600})
	b.fetch()
	fetched := b.state().FetchedAt
	b.change()
	for _, c := range []struct {
		status int
		want   string
	}{
		{http.StatusUnauthorized, ": it refuses the credentials: correct " + variable("x")},
		{http.StatusForbidden, ": it refuses the credentials: correct " + variable("x")},
		{http.StatusNotFound, ": it does not have this API: correct the exchange's --url"},
		{http.StatusFound, ": it does not have this API: correct the exchange's --url"},
		{http.StatusServiceUnavailable, " answered 503 Service Unavailable"},
		{-1, "connection refused"},
	} {
		if b.source.Status = c.status; c.status < 0 {
			b.web.Close()
		}
		_, err := b.fetcher.Fetch(t.Context(), "x", false)
		require.ErrorContains(t, err, "exchange x: 127.0.0.1:")
		require.ErrorContains(t, err, c.want)
		require.NotContains(t, err.Error(), "\n")
		require.Len(t, b.stored("theirs"), 600, "nothing is lost, and nothing half")
		s := b.state()
		require.Equal(t, err.Error(), s.Error)
		require.NotNil(t, s.FailedAt)
		require.Equal(t, fetched, s.FetchedAt, "the age shows")
		for _, text := range append(texts(t, b.url), err.Error()) {
			require.NotContains(t, text, fake.Password)
		}
	}
}
