package matchdb

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"moderator/internal/testenv"
)

func TestBanks(t *testing.T) {
	db, _ := library(t)
	require.NoError(t, db.AddBank(t.Context(), "spam", "ann", ""))
	require.ErrorIs(t, db.AddBank(t.Context(), "spam", "ann", ""), ErrExists)
	for _, name := range []string{"", "späm", "a b", "-a", "../x", strings.Repeat("a", 256)} {
		require.ErrorIs(t, db.AddBank(t.Context(), name, "ann", ""), ErrInvalid, name)
	}
	mustFlag(t, db, newFlag("spam", "a", random(rand.New(rand.NewPCG(1, 1)))))
	require.NoError(t, db.DisableBank(t.Context(), "spam", "ann", ""))
	require.NoError(t, db.SetBank(t.Context(), "spam", testModel.Fingerprint, Thresholds{BlockAt: 0.7}, "ann", ""))

	review := testModel.ReviewAt
	banks, err := db.Banks(t.Context(), testModel.Fingerprint)
	require.NoError(t, err)
	require.Equal(t, []Bank{
		{Name: "default", Enabled: true, Thresholds: Thresholds{testModel.BlockAt, &review}},
		{Name: "spam", Flags: 1, Thresholds: Thresholds{BlockAt: 0.7}, Own: true},
	}, banks)
	bank, err := db.Bank(t.Context(), "spam")
	require.NoError(t, err)
	require.Equal(t, Bank{Name: "spam", Flags: 1}, bank)
}

func TestUnknownBankEverywhere(t *testing.T) {
	db, _ := library(t)
	_, err := db.Bank(t.Context(), "nowhere")
	for _, err := range []error{
		err, db.DisableBank(t.Context(), "nowhere", "ann", ""), db.EnableBank(t.Context(), "nowhere", "ann", ""),
		db.SetBank(t.Context(), "nowhere", testModel.Fingerprint, Thresholds{BlockAt: 1}, "ann", ""),
	} {
		require.ErrorIs(t, err, ErrUnknownBank)
		require.ErrorContains(t, err, `"nowhere"`)
	}
	_, err = db.Banks(t.Context(), sum256("x"))
	require.ErrorIs(t, err, ErrUnknownModel)
}

func TestThresholdsAreChecked(t *testing.T) {
	db, _ := library(t)
	high, nan := 0.8, math.NaN()
	for _, bad := range []Thresholds{{BlockAt: nan}, {0.7, &high}, {0.7, &nan}} {
		require.ErrorIs(t, db.SetBank(t.Context(), "default", testModel.Fingerprint, bad, "ann", ""), ErrInvalid)
	}
	never := Thresholds{BlockAt: math.Inf(1), ReviewAt: &high}
	require.NoError(t, db.SetBank(t.Context(), "default", testModel.Fingerprint, never, "ann", ""))
	banks, err := db.Banks(t.Context(), testModel.Fingerprint)
	require.NoError(t, err)
	require.Equal(t, never, banks[0].Thresholds)
}

func TestRegisterModel(t *testing.T) {
	db, _ := library(t)
	wide := Model{Name: "wide", Fingerprint: sum256("wide"), Dims: 1024, BlockAt: math.Inf(1), ReviewAt: 0.2}
	var group errgroup.Group
	for range 6 {
		group.Go(func() error { return db.RegisterModel(t.Context(), wide) })
	}
	require.NoError(t, group.Wait())
	models, err := db.Models(t.Context())
	require.NoError(t, err)
	require.Equal(t, []Model{testModel, wide}, models)

	changed := wide
	changed.ReviewAt = 0.1
	require.NoError(t, db.RegisterModel(t.Context(), changed), "keeps the thresholds that it has")
	changed.Dims = 512
	require.ErrorContains(t, db.RegisterModel(t.Context(), changed), "is registered with 1024 dimensions, not 512")
	for _, bad := range []Model{
		{Fingerprint: "abc", Dims: 8},
		{Fingerprint: sum256("x")},
		{Fingerprint: sum256("x"), Dims: 4000},
		{Fingerprint: sum256("x"), Dims: 8, BlockAt: 1, ReviewAt: 2},
	} {
		require.ErrorIs(t, db.RegisterModel(t.Context(), bad), ErrInvalid)
	}

	// The widest that fits an index page and a row.
	widest := Model{Name: "widest", Fingerprint: sum256("widest"), Dims: 3999, BlockAt: 1, ReviewAt: 1}
	require.NoError(t, db.RegisterModel(t.Context(), widest))
	f := newFlag("default", "a", testenv.Unit(append(make([]float32, 3998), 1)))
	f.Model = widest.Fingerprint
	mustFlag(t, db, f)
}

func TestCheckModel(t *testing.T) {
	db, _ := library(t)
	require.NoError(t, db.CheckModel(t.Context(), sum256("other")), "an empty library suits every model")
	flag := mustFlag(t, db, newFlag("default", "a", random(rand.New(rand.NewPCG(2, 2)))))
	require.NoError(t, db.CheckModel(t.Context(), testModel.Fingerprint))
	err := db.CheckModel(t.Context(), sum256("other"))
	require.ErrorIs(t, err, ErrUnknownModel)
	require.ErrorContains(t, err, sum256("other")[:12])
	require.ErrorContains(t, err, "they are embedded by: test (abababababab)")
	_, err = db.Retract(t.Context(), flag.ID.String(), "ann", "a test")
	require.NoError(t, err)
	require.NoError(t, db.CheckModel(t.Context(), sum256("other")))
}

func TestSearch(t *testing.T) {
	db, _ := library(t)
	require.NoError(t, db.AddBank(t.Context(), "off", "ann", ""))
	r := rand.New(rand.NewPCG(3, 3))
	v := random(r)
	var ids []string
	for i, bank := range []string{"default", "off", "default", "default"} {
		f := newFlag(bank, fmt.Sprint(i), random(r))
		f.Embeddings = append(f.Embeddings, Embedding{View: "best", Vector: near(r, v, 0.2*float64(i)), Penalty: 0.1})
		for j := range 9 {
			f.Embeddings = append(f.Embeddings, Embedding{View: fmt.Sprint("turn-", j), Vector: near(r, v, 4)})
		}
		ids = append(ids, mustFlag(t, db, f).ID.String())
	}
	require.NoError(t, db.DisableBank(t.Context(), "off", "ann", ""))

	found, err := db.Search(t.Context(), testModel.Fingerprint, Query{Vector: v, Penalty: 0.05}, 3)
	require.NoError(t, err)
	require.Len(t, found, 3)
	for i, f := range found {
		require.Equal(t, ids[i], f.FlaggedID.String())
		require.Equal(t, "best", f.View)
		require.Equal(t, fmt.Sprint(i), f.Source)
		require.Equal(t, i != 1, f.BankEnabled)
		require.InDelta(t, f.Similarity-0.15, f.Score, Tolerance)
		require.Equal(t, testModel.BlockAt, f.BlockAt)
	}
	require.InDelta(t, 1, found[0].Similarity, Tolerance)
	_, err = db.Search(t.Context(), testModel.Fingerprint, Query{Vector: v}, 0)
	require.ErrorIs(t, err, ErrInvalid)
	_, err = db.Search(t.Context(), sum256("x"), Query{Vector: v}, 1)
	require.ErrorIs(t, err, ErrUnknownModel)
}
