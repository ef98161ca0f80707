package matchdb

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func TestQuarantine(t *testing.T) {
	owner, url := library(t)
	ctx := t.Context()
	r := rand.New(rand.NewPCG(1, 1))
	flag, other := mustFlag(t, owner, newFlag("default", "a", random(r))).ID, mustFlag(t, owner, newFlag("default", "b", random(r))).ID
	readerURL := as(t, owner, url, "moderator_reader")
	reader, curator := open(t, readerURL), open(t, as(t, owner, url, "moderator_curator"))
	list := func(filter FlagFilter) (ids []uuid.UUID) {
		flags, err := reader.ListFlags(ctx, filter)
		require.NoError(t, err)
		for _, f := range flags {
			ids = append(ids, f.ID)
		}
		return ids
	}
	quarantined := func() []bool {
		policies, err := reader.Policies(ctx, []uuid.UUID{flag, other})
		require.NoError(t, err)
		return []bool{policies[flag].Quarantined, policies[other].Quarantined}
	}
	require.Empty(t, list(FlagFilter{Quarantined: true}))
	put, err := reader.QuarantineFlag(ctx, flag, 101)
	require.NoError(t, err)
	require.True(t, put)
	put, err = reader.QuarantineFlag(ctx, flag, 500)
	require.NoError(t, err)
	require.False(t, put, "it is there already")
	_, err = reader.QuarantineFlag(ctx, uuid.New(), 101)
	require.Error(t, err, "there is no such flag")

	require.Equal(t, []bool{true, false}, quarantined())
	require.Equal(t, []uuid.UUID{flag}, list(FlagFilter{Quarantined: true}))
	require.Len(t, list(FlagFilter{}), 2)
	shown, err := reader.Show(ctx, flag.String())
	require.NoError(t, err)
	require.Equal(t, 101, shown.Quarantine.Blocked)
	require.WithinDuration(t, time.Now(), shown.Quarantine.Since, time.Hour)
	stats, err := reader.Stats(ctx)
	require.NoError(t, err)
	require.Equal(t, 1, stats.Quarantined)

	require.Equal(t, insufficientPrivilege, pgCode(reader.Release(ctx, []uuid.UUID{flag}, "eve", "")))
	require.Equal(t, insufficientPrivilege, pgCode(exec(t, readerURL, "DELETE FROM quarantine")))
	require.Equal(t, insufficientPrivilege, pgCode(exec(t, readerURL, "UPDATE quarantine SET blocked = 0")))
	require.ErrorIs(t, curator.Release(ctx, []uuid.UUID{flag, other}, "ann", "a campaign"), ErrNotFound)
	require.Equal(t, []bool{true, false}, quarantined(), "all or none")
	require.NoError(t, curator.Release(ctx, []uuid.UUID{flag}, "ann", "a campaign"))
	require.Equal(t, []bool{false, false}, quarantined())
	require.ErrorIs(t, curator.Release(ctx, []uuid.UUID{flag}, "ann", ""), ErrNotFound)
	put, err = reader.QuarantineFlag(ctx, flag, 101)
	require.NoError(t, err)
	require.False(t, put, "somebody has looked at it")
	require.Equal(t, []bool{false, false}, quarantined())

	history, err := curator.History(ctx, flag.String())
	require.NoError(t, err)
	require.Equal(t, []string{"ann insert flagged_image", "moderator insert quarantine", "ann update quarantine"}, actions(history))
	require.Equal(t, []string{"blocked 101 uploads within an hour", "a campaign"}, []string{history[1].Reason, history[2].Reason})

	_, err = reader.QuarantineFlag(ctx, other, 9)
	require.NoError(t, err)
	_, err = curator.Retract(ctx, other.String(), "ann", "a mistake")
	require.NoError(t, err)
	require.Empty(t, list(FlagFilter{Quarantined: true}), "a retracted flag needs no release")
	stats, err = reader.Stats(ctx)
	require.NoError(t, err)
	require.Zero(t, stats.Quarantined)
}
