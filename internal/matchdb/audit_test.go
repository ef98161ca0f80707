package matchdb

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func actions(changes []Change) (lines []string) {
	for _, c := range changes {
		lines = append(lines, c.By+" "+c.Action+" "+c.Table)
	}
	return lines
}

func TestAuditIsFiltered(t *testing.T) {
	db, url := library(t)
	ctx := t.Context()
	r := rand.New(rand.NewPCG(1, 1))
	one := mustFlag(t, db, newFlag("default", "one", random(r)))
	two := mustFlag(t, db, newFlag("default", "two", random(r)))
	_, err := db.Retract(ctx, one.ID.String(), "bob", "a mistake")
	require.NoError(t, err)

	all, err := db.Audit(ctx, AuditFilter{})
	require.NoError(t, err)
	require.Equal(t, "bob update flagged_image", actions(all)[0], "the newest first")
	newest, err := db.Audit(ctx, AuditFilter{Limit: 1})
	require.NoError(t, err)
	require.Equal(t, all[:1], newest)
	require.Equal(t, []any{"a mistake", nil, "a mistake", "postgres"},
		[]any{newest[0].Reason, newest[0].Before["retract_reason"], newest[0].After["retract_reason"], newest[0].User})

	bob, err := db.Audit(ctx, AuditFilter{By: "bob"})
	require.NoError(t, err)
	require.Len(t, bob, 1)
	user, err := db.Audit(ctx, AuditFilter{By: "postgres"})
	require.NoError(t, err)
	require.Len(t, user, len(all), "a database user is somebody too")
	image, err := db.Audit(ctx, AuditFilter{Image: two.ID.String()[:13]})
	require.NoError(t, err)
	require.Equal(t, []string{"ann insert flagged_image"}, actions(image))
	later, err := db.Audit(ctx, AuditFilter{Since: time.Now().Add(time.Hour)})
	require.NoError(t, err)
	require.Empty(t, later)
	for kind, want := range map[string][]string{
		"retracted": {"bob update flagged_image"}, "flagged": {"ann insert flagged_image", "ann insert flagged_image"}, "restored": nil, "reviewed": nil,
	} {
		changes, err := db.Audit(ctx, AuditFilter{Kind: kind})
		require.NoError(t, err)
		require.Equal(t, want, actions(changes), kind)
	}
	for _, kind := range AuditKinds() {
		_, err := db.Audit(ctx, AuditFilter{Kind: kind})
		require.NoError(t, err, kind)
	}
	_, err = db.Audit(ctx, AuditFilter{Kind: "restord"})
	require.ErrorContains(t, err, "want one of allowed, bank, exchange, flagged")
	_, err = db.Audit(ctx, AuditFilter{Image: "xyz"})
	require.ErrorIs(t, err, ErrInvalid)

	_, err = open(t, as(t, db, url, "moderator_reader")).Audit(ctx, AuditFilter{})
	require.Equal(t, insufficientPrivilege, pgCode(err))
	require.ErrorContains(t, err, "moderator_curator")
}

// The life of a flag, with what happened to its bank and its model meanwhile and to no other.
func TestHistory(t *testing.T) {
	db, url := library(t)
	ctx := t.Context()
	r := rand.New(rand.NewPCG(2, 2))
	require.NoError(t, db.AddBank(ctx, "spam", "ann", ""))
	require.NoError(t, db.DisableBank(ctx, "spam", "before", ""))
	flag := mustFlag(t, db, newFlag("spam", "one", random(r)))
	mustFlag(t, db, newFlag("spam", "two", random(r)))
	require.NoError(t, db.EnableBank(ctx, "spam", "cid", ""))
	require.NoError(t, db.DisableBank(ctx, "default", "another bank", ""))
	require.NoError(t, db.SetBank(ctx, "spam", testModel.Fingerprint, Thresholds{BlockAt: 0.7}, "dan", ""))
	require.NoError(t, exec(t, url, "UPDATE model SET block_at = 0.6"))
	_, err := db.Retract(ctx, flag.ID.String(), "eve", "a mistake")
	require.NoError(t, err)
	_, err = db.Restore(ctx, flag.ID.String(), "fay", "no mistake")
	require.NoError(t, err)

	history, err := db.History(ctx, flag.ID.String()[:13])
	require.NoError(t, err)
	require.Equal(t, []string{
		"ann insert flagged_image", "cid update bank", "dan insert bank_threshold", " update model", "eve update flagged_image",
		"fay update flagged_image",
	}, actions(history))
	require.Equal(t, "no mistake", history[5].Reason)

	_, err = db.History(ctx, "00000000")
	require.ErrorIs(t, err, ErrNotFound)

	allowed, err := db.Allow(ctx, newAllowed("x", random(r), randomHash(r)))
	require.NoError(t, err)
	_, err = db.RemoveAllowed(ctx, allowed.ID.String(), "gus", "guilty")
	require.NoError(t, err)
	history, err = db.History(ctx, allowed.ID.String())
	require.NoError(t, err)
	require.Equal(t, []string{"ann insert allowed_image", "gus delete allowed_image"}, actions(history))
	require.Equal(t, "guilty", history[1].Reason)
}
