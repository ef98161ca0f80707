package matchdb

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func TestPolicies(t *testing.T) {
	owner, url := library(t)
	ctx := t.Context()
	db := open(t, as(t, owner, url, "moderator_curator"))
	require.NoError(t, db.AddBank(ctx, "spam", "ann", ""))
	r := rand.New(rand.NewPCG(1, 1))
	of := map[string]uuid.UUID{}
	for _, bank := range []string{"default", "spam"} {
		of[bank] = mustFlag(t, db, newFlag(bank, bank, random(r))).ID
	}
	reader := open(t, as(t, owner, url, "moderator_reader"))
	policies := func() map[uuid.UUID]Policy {
		found, err := reader.Policies(ctx, []uuid.UUID{of["default"], of["spam"], uuid.New()})
		require.NoError(t, err)
		return found
	}
	require.Equal(t, map[uuid.UUID]Policy{of["default"]: {}, of["spam"]: {}}, policies())

	bits, rate, limits := 10, 1e-6, Thresholds{BlockAt: 0.7}
	want := BankPolicy{Shadow: true, ReviewOnly: true, PDQDistance: &bits, PDQVerdict: "review", FalseBlocks: &rate}
	set := func(p BankPolicy) BankChange { return BankChange{Policy: func(to *BankPolicy) { *to = p }} }
	change := set(want)
	change.Model, change.Thresholds = testModel.Fingerprint, &limits
	require.NoError(t, db.ConfigureBank(ctx, "spam", change, "ann", "a trial"))
	require.Equal(t, map[uuid.UUID]Policy{of["default"]: {}, of["spam"]: {BankPolicy: want}}, policies())
	bank, err := db.Bank(ctx, "spam")
	require.NoError(t, err)
	require.Equal(t, want, bank.BankPolicy)
	banks, err := db.Banks(ctx, testModel.Fingerprint)
	require.NoError(t, err)
	require.Equal(t, []any{want, limits}, []any{banks[1].BankPolicy, banks[1].Thresholds})
	changes, err := db.Audit(ctx, AuditFilter{By: "ann", Limit: 2})
	require.NoError(t, err)
	require.Equal(t, []any{true, "review", "a trial"}, []any{changes[1].After["shadow"], changes[1].After["pdq_verdict"], changes[1].Reason})

	far, negative, none, nan := 32, -1, 0.0, math.NaN()
	for name, bad := range map[string]BankChange{
		"too far":             set(BankPolicy{PDQDistance: &far, PDQVerdict: "block"}),
		"negative":            set(BankPolicy{PDQDistance: &negative, PDQVerdict: "block"}),
		"no verdict":          set(BankPolicy{PDQDistance: &bits}),
		"no distance":         set(BankPolicy{PDQVerdict: "block"}),
		"another verdict":     set(BankPolicy{PDQDistance: &bits, PDQVerdict: "allow"}),
		"no rate":             set(BankPolicy{FalseBlocks: &none}),
		"not a rate":          set(BankPolicy{FalseBlocks: &nan}),
		"a bad threshold too": {Policy: set(BankPolicy{}).Policy, Model: testModel.Fingerprint, Thresholds: &Thresholds{BlockAt: nan}},
	} {
		require.ErrorIs(t, db.ConfigureBank(ctx, "spam", bad, "ann", ""), ErrInvalid, name)
	}
	require.ErrorIs(t, db.ConfigureBank(ctx, "nowhere", set(want), "ann", ""), ErrUnknownBank)
	require.Equal(t, insufficientPrivilege, pgCode(reader.ConfigureBank(ctx, "spam", set(BankPolicy{}), "eve", "")))
	require.Equal(t, want, policies()[of["spam"]].BankPolicy, "nothing of it was changed")

	require.NoError(t, db.ConfigureBank(ctx, "spam", set(BankPolicy{}), "ann", ""))
	require.Equal(t, map[uuid.UUID]Policy{of["default"]: {}, of["spam"]: {}}, policies())
}
