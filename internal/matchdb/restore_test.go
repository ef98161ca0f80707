package matchdb

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// A restored flag is what it was: found by its file, its hash and its vectors, of every model.
func TestRestoreBringsEverySignalBack(t *testing.T) {
	db, url := library(t)
	ctx := t.Context()
	r := rand.New(rand.NewPCG(1, 1))
	v, hash := random(r), randomHash(r)
	f := newFlag("default", "a", v)
	f.PDQ = []PDQ{{View: "original", Hash: hash, Quality: 90}}
	id := mustFlag(t, db, f).ID
	other := Model{Name: "other", Fingerprint: sum256("other"), Dims: dims, BlockAt: 0.5, ReviewAt: 0.4}
	require.NoError(t, db.RegisterModel(ctx, other))
	under := f
	under.Model = other.Fingerprint
	require.True(t, mustFlag(t, db, under).Existing)
	before, err := db.Show(ctx, id.String())
	require.NoError(t, err)

	found := func() (near, sameOther int, byHash int) {
		hits, err := db.Match(ctx, testModel.Fingerprint, []Query{{Vector: v}})
		require.NoError(t, err)
		others, err := db.Match(ctx, other.Fingerprint, []Query{{Vector: v}})
		require.NoError(t, err)
		hashes, err := db.MatchHashes(ctx, []HashQuery{{SHA256: f.SHA256, PDQ: []PDQ{{Hash: hash, Quality: 90}}}})
		require.NoError(t, err)
		return len(hits[0]), len(others[0]), len(hashes[0])
	}
	curator := open(t, as(t, db, url, "moderator_curator"))
	for range 2 { // as often as wanted
		_, err = curator.Retract(ctx, id.String(), "ann", "a mistake")
		require.NoError(t, err)
		a, b, c := found()
		require.Equal(t, [3]int{}, [3]int{a, b, c})
		after, err := curator.Restore(ctx, id.String(), "bob", "no mistake")
		require.NoError(t, err)
		require.Equal(t, before, after)
		a, b, c = found()
		require.Equal(t, [3]int{1, 1, 2}, [3]int{a, b, c})
	}
	_, err = db.Restore(ctx, id.String(), "bob", "twice")
	require.ErrorIs(t, err, ErrActive)

	bare, err := db.FileOnly(ctx, []uuid.UUID{id})
	require.NoError(t, err)
	require.Empty(t, bare)
	_, err = db.Retract(ctx, id.String(), "ann", "a mistake")
	require.NoError(t, err)
	require.NoError(t, exec(t, url, "DELETE FROM retracted_embedding; DELETE FROM retracted_pdq"))
	_, err = curator.Restore(ctx, id.String(), "bob", "no mistake")
	require.NoError(t, err)
	bare, err = curator.FileOnly(ctx, []uuid.UUID{id})
	require.NoError(t, err)
	require.Equal(t, []uuid.UUID{id}, bare)

	_, err = db.Retract(ctx, id.String(), "ann", "a mistake")
	require.NoError(t, err)
	mustFlag(t, db, f)
	_, err = db.Restore(ctx, id.String(), "bob", "no mistake")
	require.ErrorIs(t, err, ErrExists)
	_, err = open(t, as(t, db, url, "moderator_reader")).Restore(ctx, id.String(), "eve", "why not")
	require.Equal(t, insufficientPrivilege, pgCode(err))
}

func TestSelect(t *testing.T) {
	db, _ := library(t)
	ctx := t.Context()
	r := rand.New(rand.NewPCG(2, 2))
	require.NoError(t, db.AddBank(ctx, "spam", "ann", ""))
	flag := func(bank, name, source, note string) uuid.UUID {
		f := newFlag(bank, name, random(r))
		f.Source, f.Note = source, note
		return mustFlag(t, db, f).ID
	}
	a := flag("spam", "a", "Case 100%", "bought list")
	b := flag("spam", "b", "case 1001", "")
	c := flag("default", "c", "case 100%", "Bought LIST of May")

	pick := func(s Selection, retracted bool) []uuid.UUID {
		t.Helper()
		flags, err := db.Select(ctx, s, retracted)
		require.NoError(t, err)
		ids := []uuid.UUID{}
		for _, f := range flags {
			ids = append(ids, f.ID)
		}
		return ids
	}
	require.ElementsMatch(t, []uuid.UUID{a, b}, pick(Selection{Bank: "spam"}, false))
	require.ElementsMatch(t, []uuid.UUID{a, c}, pick(Selection{Source: "CASE 100%"}, false), "no wildcard is meant")
	require.ElementsMatch(t, []uuid.UUID{c}, pick(Selection{Source: "case", Note: "of may"}, false))
	require.Empty(t, pick(Selection{Since: time.Now().Add(time.Hour)}, false))
	require.Empty(t, pick(Selection{}, true))
	_, err := db.Select(ctx, Selection{Bank: "nowhere"}, false)
	require.ErrorIs(t, err, ErrUnknownBank)

	n, err := db.RetractAll(ctx, []uuid.UUID{a, c, uuid.New()}, "ann", "a bad list")
	require.NoError(t, err)
	require.Equal(t, 2, n)
	require.ElementsMatch(t, []uuid.UUID{a, c}, pick(Selection{Note: "list"}, true))
	n, err = db.RestoreAll(ctx, []uuid.UUID{a, b, c}, "ann", "not so bad")
	require.NoError(t, err)
	require.Equal(t, 2, n)
	require.Empty(t, pick(Selection{}, true))
}
