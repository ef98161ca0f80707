package matchdb

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/hashlist"
	"moderator/internal/pdq"
)

func withMD5(n byte) hashlist.Flag {
	md5 := make([]byte, 16)
	md5[0] = n
	return hashlist.Flag{MD5: md5, Source: "ncmec"}
}

func withPDQ(n byte) hashlist.Flag {
	hash := pdq.Hash{n}
	for i := 1; i < 17; i++ {
		hash[i] = 0xff
	}
	return hashlist.Flag{PDQ: []hashlist.PDQ{{View: "original", Hash: hash, Quality: 100}}, Source: "ncmec"}
}

func entry(key string, flags ...hashlist.Flag) ExchangeEntry {
	return ExchangeEntry{Key: key, Flags: flags}
}

// exchange is an exchange of a bank of its own, whose fetch has begun.
func exchange(t *testing.T, db *DB, name string) *ExchangeFetch {
	t.Helper()
	require.NoError(t, db.AddBank(t.Context(), name, "ann", ""))
	require.NoError(t, db.AddExchange(t.Context(), Exchange{Name: name, Programme: "ncmec", Bank: name, Settings: json.RawMessage(`{"every":"1h"}`)}, "ann", "why"))
	return begin(t, db, name, false)
}

func begin(t *testing.T, db *DB, name string, anew bool) *ExchangeFetch {
	t.Helper()
	f, err := db.LockExchange(t.Context(), name)
	require.NoError(t, err)
	require.NoError(t, f.Begin(t.Context(), anew))
	return f
}

func store(t *testing.T, f *ExchangeFetch, checkpoint string, entries ...ExchangeEntry) ExchangeChange {
	t.Helper()
	page := ExchangePage{Entries: entries}
	if checkpoint != "" {
		page.Checkpoint = json.RawMessage(checkpoint)
	}
	c, err := f.Store(t.Context(), page)
	require.NoError(t, err)
	return c
}

// found says which of the hashes match.
func found(t *testing.T, db *DB, flags ...hashlist.Flag) (all []bool) {
	t.Helper()
	for _, f := range flags {
		q := HashQuery{MD5: fmt.Sprintf("%x", f.MD5)}
		for _, p := range f.PDQ {
			q.PDQ = append(q.PDQ, PDQ{Hash: p.Hash, Quality: p.Quality})
			q.Bits = 1
		}
		hits, err := db.MatchHashes(t.Context(), []HashQuery{q})
		require.NoError(t, err)
		all = append(all, len(hits[0]) > 0)
	}
	return all
}

func count(t *testing.T, db *DB, sql string, args ...any) (n int) {
	t.Helper()
	require.NoError(t, db.pool.QueryRow(t.Context(), sql, args...).Scan(&n))
	return n
}

func TestExchangeKeepsAFlagUntilItsLastRecord(t *testing.T) {
	db, _ := library(t)
	f := exchange(t, db, "one")
	defer f.Close()
	c := store(t, f, "", entry("a", withMD5(1), withPDQ(1)), entry("b", withMD5(1)), entry("c", withPDQ(3)))
	require.Equal(t, ExchangeChange{Stored: 4}, c)
	require.Equal(t, ExchangeChange{}, store(t, f, "", entry("a", withPDQ(1), withMD5(1))), "the same again changes nothing")
	require.Equal(t, []bool{true, true, true}, found(t, db, withMD5(1), withPDQ(1), withPDQ(3)))

	c = store(t, f, `{"at":7}`, entry("a"), entry("c", withPDQ(4)))
	require.Equal(t, ExchangeChange{Stored: 1, Removed: 3, Forgotten: 2}, c)
	require.Equal(t, []bool{true, false, false, true}, found(t, db, withMD5(1), withPDQ(1), withPDQ(3), withPDQ(4)), "b still stands behind the MD5")
	require.Equal(t, ExchangeChange{Removed: 1, Forgotten: 1}, store(t, f, "", entry("b", withMD5(9)), entry("b"), entry("unknown")), "the last of a page counts")
	require.Equal(t, []bool{false, false}, found(t, db, withMD5(1), withMD5(9)))

	// Nothing is set aside, and the audit log holds no hash.
	require.Zero(t, count(t, db, "SELECT count(*) FROM retracted_pdq"))
	require.Equal(t, 1, count(t, db, "SELECT count(*) FROM flagged_image"))
	require.Positive(t, count(t, db, "SELECT count(*) FROM audit_log WHERE table_name = 'flagged_image' AND action = 'delete' AND actor = 'exchange one'"))
	require.Zero(t, count(t, db, `SELECT count(*) FROM audit_log WHERE table_name = 'flagged_image'
		AND (coalesce(before, '{}') ?| '{md5,sha256,signal_key}' OR coalesce(after, '{}') ?| '{md5,sha256,signal_key}')`))

	var forgotten string
	require.NoError(t, db.pool.QueryRow(t.Context(), "SELECT row_id FROM audit_log WHERE action = 'delete' ORDER BY id LIMIT 1").Scan(&forgotten))
	history, err := db.History(t.Context(), forgotten)
	require.NoError(t, err)
	require.Equal(t, []string{"exchange one insert flagged_image", "exchange one delete flagged_image"}, actions(history), "a flag of a page has its own history")

	_, err = f.End(t.Context())
	require.NoError(t, err)
	got, err := db.Exchange(t.Context(), "one")
	require.NoError(t, err)
	require.JSONEq(t, `{"at":7}`, string(got.State.Checkpoint))
	require.Equal(t, []any{int64(1), false, true, "one"}, []any{got.State.Hashes, got.State.Whole, got.State.Running, got.Bank})
	require.NotNil(t, got.State.FetchedAt)
}

func TestExchangeLeavesWhatPeopleDecided(t *testing.T) {
	db, url := library(t)
	f := exchange(t, db, "one")
	defer func() { f.Close() }()
	_, err := db.NewImport("ann", "").Load(t.Context(), []hashlist.Flag{{Bank: "one", MD5: withMD5(5).MD5}})
	require.NoError(t, err)
	store(t, f, "", entry("own", withMD5(5)), entry("wrong", withPDQ(1)))
	store(t, f, "", entry("own"))
	require.Equal(t, []bool{true}, found(t, db, withMD5(5)), "a person's flag stays")

	flags, err := db.Select(t.Context(), Selection{Bank: "one", Source: "ncmec"}, false)
	require.NoError(t, err)
	require.Len(t, flags, 1)
	_, err = db.Retract(t.Context(), flags[0].ID.String(), "bob", "harmless")
	require.NoError(t, err)
	store(t, f, "", entry("wrong", withPDQ(1)), entry("another", withPDQ(1)))
	require.Equal(t, []bool{false}, found(t, db, withPDQ(1)), "what was retracted by hand is not flagged again")

	require.Equal(t, 1, store(t, f, "", entry("wrong"), entry("another")).Forgotten)
	require.Zero(t, count(t, db, "SELECT count(*) FROM retracted_pdq"), "a withdrawn hash is not set aside either")
	store(t, f, "", entry("later", withPDQ(1)))
	require.Equal(t, []bool{false}, found(t, db, withPDQ(1)), "nor when it comes again after it was forgotten")
	store(t, f, "", entry("later"))
	store(t, f, "", entry("later", withPDQ(1)))
	require.Equal(t, []bool{false}, found(t, db, withPDQ(1)))
	require.Equal(t, insufficientPrivilege, pgCode(exec(t, as(t, db, url, "moderator_curator"), "UPDATE flagged_image SET exchanged = true")),
		"a curator cannot delete a flag by the way of an exchange")
}

func TestWholeFetchDropsWhatDidNotComeAgain(t *testing.T) {
	db, url := library(t)
	f := exchange(t, db, "one")
	store(t, f, `1`, entry("a", withMD5(1)), entry("b", withMD5(2)))
	_, err := f.End(t.Context())
	require.NoError(t, err)
	_, err = db.LockExchange(t.Context(), "one")
	require.ErrorIs(t, err, ErrBusy)
	f.Close()

	f = begin(t, db, "one", false)
	store(t, f, `2`, entry("c", withMD5(3)))
	c, err := f.End(t.Context())
	require.NoError(t, err)
	require.Equal(t, ExchangeChange{}, c)
	f.Close()

	f = begin(t, db, "one", true)
	store(t, f, `1`, entry("b", withMD5(2)))
	f.Close() // an interrupted one goes on
	f = begin(t, db, "one", false)
	require.JSONEq(t, `1`, string(f.State.Checkpoint))
	_, err = f.Store(t.Context(), ExchangePage{Entries: []ExchangeEntry{entry("d", withMD5(4))}, Refused: map[string]int{"short": 2}})
	require.NoError(t, err)
	_, err = f.Store(t.Context(), ExchangePage{Refused: map[string]int{"short": 1, "flat": 1}})
	require.NoError(t, err)
	require.Equal(t, []bool{true, true, true, true}, found(t, db, withMD5(1), withMD5(2), withMD5(3), withMD5(4)))
	c, err = f.End(t.Context())
	require.NoError(t, err)
	require.Equal(t, ExchangeChange{Removed: 2, Forgotten: 2}, c)
	require.Equal(t, []bool{false, true, false, true}, found(t, db, withMD5(1), withMD5(2), withMD5(3), withMD5(4)))
	require.NoError(t, f.Fail(t.Context(), fmt.Errorf("it is away")))
	f.Close()

	all, err := db.Exchanges(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 1)
	s := all[0].State
	require.Equal(t, []any{int64(2), "it is away", false, map[string]int64{"short": 3, "flat": 1}}, []any{s.Hashes, s.Error, s.Running, s.Refused})

	// A curator's login has all the rights.
	curatorURL := as(t, db, url, "moderator_curator")
	curator := open(t, curatorURL)
	f = begin(t, curator, "one", true)
	store(t, f, `1`, entry("b", withPDQ(9)))
	_, err = f.End(t.Context())
	require.NoError(t, err)
	f.Close()
	require.NoError(t, curator.SwitchExchange(t.Context(), "one", false, "ann", ""))
	forgotten, err := curator.RemoveExchange(t.Context(), "one", "ann", "contract ended")
	require.NoError(t, err)
	require.Equal(t, 1, forgotten)
	require.Zero(t, count(t, db, "SELECT count(*) FROM flagged_image"))
	_, err = db.Exchange(t.Context(), "one")
	require.ErrorIs(t, err, ErrNotFound)
	require.NoError(t, exec(t, url, "DROP OWNED BY "+userOf(t, curatorURL))) // temporary tables, which may outlive the session a while
	require.ErrorIs(t, db.AddExchange(t.Context(), Exchange{Name: "x", Bank: "absent", Settings: json.RawMessage(`{}`)}, "ann", ""), ErrUnknownBank)
	require.ErrorIs(t, db.AddExchange(t.Context(), Exchange{Name: "../x", Bank: "one"}, "ann", ""), ErrInvalid)
}

// A page costs the same in a large library as in a small one: the statements read what its entries name, and not the tables.
func TestExchangePageDoesNotReadTheLibrary(t *testing.T) {
	const many, few = 6000, 50
	db, _ := library(t)
	f := exchange(t, db, "one")
	defer f.Close()
	page := func(from, n int) (all []ExchangeEntry) {
		for i := from; i < from+n; i++ {
			sum := sha256.Sum256([]byte{byte(i), byte(i >> 8)})
			of := hashlist.Flag{PDQ: []hashlist.PDQ{{View: "original", Hash: pdq.Hash(sum), Quality: 100}}}
			all = append(all, entry(fmt.Sprint(i), hashlist.Flag{MD5: sum[:16]}, of))
		}
		return all
	}
	read := func() (rows int) {
		_, err := f.conn.Exec(t.Context(), "SELECT pg_stat_force_next_flush()")
		require.NoError(t, err)
		return count(t, db, `SELECT sum(seq_tup_read + idx_tup_fetch)::int FROM pg_stat_user_tables WHERE relname IN ('flagged_image', 'exchange_record')`)
	}
	store(t, f, "", page(0, many)...)
	before := read()
	store(t, f, "", page(many, few)...)     // new ones,
	store(t, f, "", page(0, few)...)        // known ones,
	store(t, f, "", entry("0"), entry("1")) // and deletions
	require.Less(t, read()-before, many, "rows read for %d entries", 2*few+2)
}
