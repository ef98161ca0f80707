package matchdb

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

func TestFlagMatchesAtOnceAndRetractedNoMore(t *testing.T) {
	db, _ := library(t)
	r := rand.New(rand.NewPCG(1, 1))
	for i := range 5 {
		v := random(r)
		q := Query{Vector: near(r, v, 0.1)}
		for _, hit := range match(t, db, q)[0] {
			require.Less(t, hit.Score, 0.9)
		}
		flag := mustFlag(t, db, newFlag("default", fmt.Sprint(i), v))
		require.False(t, flag.Existing)
		require.Equal(t, flag.ID, match(t, db, q)[0][0].FlaggedID)

		retracted, err := db.Retract(t.Context(), flag.ID.String(), "bob", "a mistake")
		require.NoError(t, err)
		require.Equal(t, "bob", retracted.RetractedBy)
		require.Equal(t, "a mistake", retracted.RetractReason)
		require.NotNil(t, retracted.RetractedAt)
		require.Zero(t, retracted.Views)
		require.Empty(t, match(t, db, q)[0])
		_, err = db.Retract(t.Context(), flag.ID.String(), "bob", "again")
		require.ErrorIs(t, err, ErrRetracted)
	}
}

func TestSameFileIsOneFlagABank(t *testing.T) {
	db, _ := library(t)
	require.NoError(t, db.AddBank(t.Context(), "spam", "ann", ""))
	r := rand.New(rand.NewPCG(2, 2))
	f := newFlag("default", "picture", random(r))
	first := mustFlag(t, db, f)
	require.Equal(t, FlagResult{ID: first.ID, Added: 1}, first)
	require.Equal(t, FlagResult{ID: first.ID, Existing: true}, mustFlag(t, db, f))

	f.Embeddings = append(f.Embeddings, Embedding{View: "flip-horizontal", Vector: random(r)})
	f.By, f.Note = "bob", "turned"
	require.Equal(t, FlagResult{ID: first.ID, Existing: true, Added: 1}, mustFlag(t, db, f), "a view that was missing")
	f.PDQ = []PDQ{{View: "original", Hash: randomHash(r), Quality: 80}}
	f.By, f.Note = "cid", "hashed"
	mustFlag(t, db, f)
	f.By = "dan"
	mustFlag(t, db, f)
	history, err := db.History(t.Context(), first.ID.String())
	require.NoError(t, err)
	require.Equal(t, []string{"ann insert flagged_image", "bob update flagged_image", "cid update flagged_image"}, actions(history), "what added something")
	require.Equal(t, []string{"turned", "hashed"}, []string{history[1].Reason, history[2].Reason})
	require.Equal(t, history[0].After, history[2].After)

	other := f
	other.Bank = "spam"
	require.False(t, mustFlag(t, db, other).Existing, "another bank")

	_, err = db.Retract(t.Context(), first.ID.String(), "ann", "why not")
	require.NoError(t, err)
	again := mustFlag(t, db, f)
	require.False(t, again.Existing)
	require.NotEqual(t, first.ID, again.ID)
}

func TestSameFileFlaggedConcurrently(t *testing.T) {
	db, _ := library(t)
	v := random(rand.New(rand.NewPCG(3, 3)))
	results := make([]FlagResult, 8)
	var group errgroup.Group
	for i := range results {
		group.Go(func() (err error) {
			results[i], err = db.Flag(t.Context(), newFlag("default", "picture", v))
			return err
		})
	}
	require.NoError(t, group.Wait())
	fresh := 0
	for _, r := range results {
		require.Equal(t, results[0].ID, r.ID)
		if !r.Existing {
			fresh++
		}
	}
	require.Equal(t, 1, fresh)
	stats, err := db.Stats(t.Context())
	require.NoError(t, err)
	require.Equal(t, Stats{Flags: 1, Models: []ModelStats{{Name: "test", Fingerprint: testModel.Fingerprint, Embeddings: 1}}}, stats)
}

func TestFlagAndRetractConcurrently(t *testing.T) {
	db, _ := library(t)
	r := rand.New(rand.NewPCG(4, 4))
	v := random(r)
	var group errgroup.Group
	for i := range 30 {
		group.Go(func() error {
			f := newFlag("default", "picture", v)
			f.Embeddings[0].View = strings.Repeat("v", i+1)
			flag, err := db.Flag(t.Context(), f)
			if err == nil && i%3 == 0 {
				_, err = db.Retract(t.Context(), flag.ID.String(), "ann", "a test")
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		require.ErrorIs(t, err, ErrRetracted)
	}
	var behind int
	require.NoError(t, db.pool.QueryRow(t.Context(), `SELECT count(*) FROM flagged_embedding e JOIN flagged_image i ON i.id = image_id
		WHERE retracted_at IS NOT NULL`).Scan(&behind))
	require.Zero(t, behind, "embeddings of retracted flags")
}

func TestFlagRefuses(t *testing.T) {
	db, _ := library(t)
	good := random(rand.New(rand.NewPCG(5, 5)))
	bad := func(change func(*NewFlag)) error {
		f := newFlag("default", "picture", good)
		change(&f)
		_, err := db.Flag(t.Context(), f)
		return err
	}
	vector := func(v []float32) error { return bad(func(f *NewFlag) { f.Embeddings[0].Vector = v }) }
	nan := append([]float32{float32(math.NaN())}, good[1:]...)

	require.ErrorIs(t, bad(func(f *NewFlag) { f.Bank = "nowhere" }), ErrUnknownBank)
	require.ErrorIs(t, bad(func(f *NewFlag) { f.Model = sum256("other") }), ErrUnknownModel)
	for want, err := range map[string]error{
		"SHA-256":                                bad(func(f *NewFlag) { f.SHA256 = "abc" }),
		"invalid MD5":                            bad(func(f *NewFlag) { f.MD5 = "abc" }),
		"want who flags":                         bad(func(f *NewFlag) { f.By = "" }),
		"it has 31 dimensions, the model has 32": vector(good[1:]),
		"its length is 0, want 1":                vector(make([]float32, dims)),
		"its length is NaN, want 1":              vector(nan),
		"invalid background penalty":             bad(func(f *NewFlag) { f.Embeddings[0].Penalty = 3 }),
	} {
		require.ErrorIs(t, err, ErrInvalid)
		require.ErrorContains(t, err, want)
	}
	stats, err := db.Stats(t.Context())
	require.NoError(t, err)
	require.Zero(t, stats.Flags)
}

func TestShowAndList(t *testing.T) {
	db, _ := library(t)
	r := rand.New(rand.NewPCG(6, 6))
	require.NoError(t, db.AddBank(t.Context(), "spam", "ann", ""))
	a := newFlag("default", "a.jpg", random(r))
	a.MD5 = strings.Repeat("0a", 16)
	a.Embeddings = append(a.Embeddings, Embedding{View: "rotate-90", Vector: random(r)})
	first := mustFlag(t, db, a)
	second := mustFlag(t, db, newFlag("spam", "b.jpg", random(r)))

	for _, id := range []string{first.ID.String(), first.ID.String()[:20], strings.ToUpper(first.ID.String()[:8])} {
		flag, err := db.Show(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, first.ID, flag.ID)
		require.Equal(t, []EmbeddedView{
			{"original", "test", testModel.Fingerprint}, {"rotate-90", "test", testModel.Fingerprint},
		}, flag.Embeddings)
		require.Equal(t, []any{"default", a.SHA256, a.MD5, "a.jpg", "a note", "ann", "postgres", 2},
			[]any{flag.Bank, flag.SHA256, flag.MD5, flag.Source, flag.Note, flag.CreatedBy, flag.CreatedUser, flag.Views})
	}
	_, err := db.Show(t.Context(), sum256("x")[:32])
	require.ErrorIs(t, err, ErrNotFound)
	for _, id := range []string{"", "xyz", first.ID.String() + "0"} {
		_, err = db.Show(t.Context(), id)
		require.ErrorIs(t, err, ErrInvalid)
	}

	_, err = db.Retract(t.Context(), first.ID.String(), "ann", "a test")
	require.NoError(t, err)
	for _, c := range []struct {
		filter FlagFilter
		want   []string
	}{
		{FlagFilter{}, []string{second.ID.String()}},
		{FlagFilter{Retracted: true}, []string{second.ID.String(), first.ID.String()}},
		{FlagFilter{Retracted: true, Limit: 1}, []string{second.ID.String()}},
		{FlagFilter{Retracted: true, Bank: "default"}, []string{first.ID.String()}},
		{FlagFilter{Retracted: true, Source: "A.JPG"}, []string{first.ID.String()}},
		{FlagFilter{Source: "%"}, nil},
		{FlagFilter{Note: "a note"}, []string{second.ID.String()}},
		{FlagFilter{By: "ann"}, []string{second.ID.String()}},
		{FlagFilter{By: "postgres"}, []string{second.ID.String()}},
		{FlagFilter{By: "bob"}, nil},
		{FlagFilter{Since: time.Now().Add(time.Hour)}, nil},
		{FlagFilter{Retracted: true, After: second.ID}, []string{first.ID.String()}},
		{FlagFilter{Retracted: true, After: first.ID}, nil},
	} {
		flags, err := db.ListFlags(t.Context(), c.filter)
		require.NoError(t, err)
		n, err := db.CountFlags(t.Context(), c.filter)
		require.NoError(t, err)
		if c.filter.Limit == 0 && c.filter.After == (uuid.UUID{}) {
			require.Equal(t, len(flags), n)
		} else {
			require.Equal(t, 2, n, "of all pages")
		}
		var ids []string
		for _, f := range flags {
			ids = append(ids, f.ID.String())
		}
		require.Equal(t, c.want, ids)
	}
	_, err = db.ListFlags(t.Context(), FlagFilter{Bank: "nowhere"})
	require.ErrorIs(t, err, ErrUnknownBank)
}

func TestShowAmbiguous(t *testing.T) {
	db, url := library(t)
	require.NoError(t, exec(t, url, `INSERT INTO flagged_image (id, bank_id, sha256, created_by) VALUES
		('12345678-0000-0000-0000-000000000001', 1, sha256('a'), 'ann'), ('12345678-0000-0000-0000-000000000002', 1, sha256('b'), 'ann')`))
	_, err := db.Show(t.Context(), "12345678-0")
	require.ErrorIs(t, err, ErrAmbiguous)
	flag, err := db.Show(t.Context(), "12345678-0000-0000-0000-000000000002")
	require.NoError(t, err)
	require.Equal(t, sum256("b"), flag.SHA256)
}
