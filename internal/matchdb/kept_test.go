package matchdb

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"moderator/internal/pdq"
)

// A library of what if matches as one that was changed.
func TestMatchIfIsMatchAfterTheChange(t *testing.T) {
	db, _ := library(t)
	ctx := t.Context()
	r := rand.New(rand.NewPCG(1, 1))
	require.NoError(t, db.AddBank(ctx, "other", "ann", ""))
	require.NoError(t, db.AddBank(ctx, "off", "ann", ""))
	var bases [][]float32
	for i := range 60 {
		v := random(r)
		bases = append(bases, v)
		mustFlag(t, db, newFlag([]string{"default", "other", "off"}[i%3], fmt.Sprint(i), v))
	}
	require.NoError(t, db.DisableBank(ctx, "off", "ann", ""))
	var qs []Query
	for i := range 120 {
		qs = append(qs, Query{Vector: near(r, bases[i%60], 2.5*r.Float64()), Penalty: 0.1 * r.Float32()})
	}
	review := 0.1
	low := &Thresholds{BlockAt: 0.2, ReviewAt: &review}
	before := match(t, db, qs...)
	same, err := db.MatchIf(ctx, testModel.Fingerprint, qs, WhatIf{})
	require.NoError(t, err)
	require.Equal(t, before, same, "nothing is changed")
	withOff, err := db.MatchIf(ctx, testModel.Fingerprint, qs, WhatIf{Banks: []string{"off"}})
	require.NoError(t, err)
	lowOff, err := db.MatchIf(ctx, testModel.Fingerprint, qs, WhatIf{Banks: []string{"off"}, Thresholds: low})
	require.NoError(t, err)
	all, err := db.MatchIf(ctx, testModel.Fingerprint, qs, WhatIf{Thresholds: low})
	require.NoError(t, err)
	require.Equal(t, before, match(t, db, qs...), "nothing is written")

	reached := func(all [][]Hit) [][]Hit { // others serve verification only
		out := make([][]Hit, len(all))
		for i, hits := range all {
			for _, h := range hits {
				if h.Score >= min(h.BlockAt, *h.ReviewAt) {
					out[i] = append(out[i], h)
				}
			}
		}
		return out
	}
	for _, bank := range []string{"default", "other"} {
		require.NoError(t, db.SetBank(ctx, bank, testModel.Fingerprint, *low, "ann", ""))
	}
	require.Equal(t, reached(match(t, db, qs...)), reached(all))
	require.NotEqual(t, reached(before), reached(all))
	for _, bank := range []string{"default", "other"} {
		require.NoError(t, db.SetBank(ctx, bank, testModel.Fingerprint, Thresholds{testModel.BlockAt, &testModel.ReviewAt}, "ann", ""))
	}
	require.NoError(t, db.EnableBank(ctx, "off", "ann", ""))
	require.Equal(t, reached(match(t, db, qs...)), reached(withOff))
	require.NoError(t, db.SetBank(ctx, "off", testModel.Fingerprint, *low, "ann", ""))
	require.Equal(t, reached(match(t, db, qs...)), reached(lowOff))
	require.NotEqual(t, reached(withOff), reached(lowOff))

	require.ErrorIs(t, WhatIf{Banks: []string{"nowhere"}}.Check(ctx, db), ErrUnknownBank)
	high := 0.3
	require.ErrorIs(t, WhatIf{Thresholds: &Thresholds{BlockAt: 0.2, ReviewAt: &high}}.Check(ctx, db), ErrInvalid)
	require.NoError(t, WhatIf{Banks: []string{"off"}, Thresholds: low}.Check(ctx, db))
}

// Kept uploads come back once each, with their views in order, however many there are.
func TestKeptUploads(t *testing.T) {
	db, _ := library(t)
	ctx := t.Context()
	r := rand.New(rand.NewPCG(2, 2))
	require.NoError(t, db.PrepareRecent(ctx, 1))
	now := time.Now()
	var uploads []RecentUpload
	for i := range 2*keptAtOnce + 3 {
		u := recent(i)
		u.Stored = now.Add(-time.Duration(i) * time.Second).UnixNano()
		for range i % 3 {
			u.Views = append(u.Views, RecentView{Query: Query{Vector: random(r), Penalty: 0.25}, PDQ: PDQ{Hash: randomHash(r), Quality: 80}})
		}
		uploads = append(uploads, u)
	}
	require.NoError(t, db.KeepRecent(ctx, testModel.Fingerprint, uploads))
	read := func(since time.Time) (all []RecentUpload) {
		require.NoError(t, db.KeptUploads(ctx, testModel.Fingerprint, since, func(part []RecentUpload) error {
			require.LessOrEqual(t, len(part), keptAtOnce)
			for _, u := range part {
				u.Views = append([]RecentView(nil), u.Views...)
				all = append(all, u)
			}
			return nil
		}))
		return all
	}
	all := read(now.Add(-time.Hour))
	require.Len(t, all, len(uploads))
	for i, got := range all {
		want := uploads[i]
		require.Equal(t, []any{want.Sequence, want.Stored, want.SHA256, string(want.Upload), len(want.Views)},
			[]any{got.Sequence, got.Stored, got.SHA256, string(got.Upload), len(got.Views)})
		for j, v := range got.Views {
			require.Equal(t, PDQ{Hash: want.Views[j].PDQ.Hash, Quality: pdq.MinQuality}, v.PDQ)
			require.InDelta(t, 1, innerProduct(want.Views[j].Vector, v.Vector), Tolerance)
			require.EqualValues(t, 0.25, v.Penalty)
		}
	}
	require.Len(t, read(now.Add(-10*time.Second)), 11)
	failed := fmt.Errorf("enough")
	require.ErrorIs(t, db.KeptUploads(ctx, testModel.Fingerprint, now.Add(-time.Hour), func([]RecentUpload) error { return failed }), failed)
}
