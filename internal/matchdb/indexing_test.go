package matchdb

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMatchingIsRefusedUntilTheIndexIsBuilt(t *testing.T) {
	db, url := library(t)
	ctx := t.Context()
	r := rand.New(rand.NewPCG(1, 1))
	v := random(r)
	hash := HashQuery{PDQ: []PDQ{{Hash: randomHash(r), Quality: 100}}}
	known, err := db.model(ctx, testModel.Fingerprint)
	require.NoError(t, err)
	require.NoError(t, db.Indexed(ctx, testModel.Fingerprint))

	require.NoError(t, db.beginLoad(ctx, &known.id))
	flag := mustFlag(t, db, newFlag("default", "a", v))
	_, err = db.Match(ctx, testModel.Fingerprint, []Query{{Vector: v}})
	require.ErrorIs(t, err, ErrIndexing)
	require.True(t, Retryable(err))
	require.ErrorContains(t, err, "the index of flagged_embedding_1 is not built yet")
	require.ErrorIs(t, db.Indexed(ctx, testModel.Fingerprint), ErrIndexing)
	require.NoError(t, db.Indexed(ctx, sum256("another model")), "others go on")
	_, err = db.MatchHashes(ctx, []HashQuery{hash})
	require.NoError(t, err, "and so do hashes")

	require.NoError(t, db.beginLoad(ctx, nil))
	_, err = db.MatchHashes(ctx, []HashQuery{hash})
	require.ErrorIs(t, err, ErrIndexing)
	_, err = db.MatchHashes(ctx, []HashQuery{{SHA256: sum256("a")}})
	require.ErrorIs(t, err, ErrIndexing, "an upload is never judged by a part of its signals")

	var tables []string
	reader := open(t, as(t, db, url, "moderator_reader"))
	require.ErrorIs(t, reader.Indexed(ctx, testModel.Fingerprint), ErrIndexing)
	curator := open(t, as(t, db, url, "moderator_curator"))
	require.NoError(t, curator.BuildIndexes(ctx, 1<<30, func(p IndexProgress) { tables = append(tables, p.Table) }))
	require.NoError(t, reader.Indexed(ctx, testModel.Fingerprint))
	require.Equal(t, flag.ID, match(t, reader, Query{Vector: v})[0][0].FlaggedID)
	_, err = db.MatchHashes(ctx, []HashQuery{hash})
	require.NoError(t, err)
	require.NoError(t, curator.BuildIndexes(ctx, 1<<30, func(IndexProgress) { t.Error("built again") }))

	require.NoError(t, curator.beginLoad(ctx, &known.id))
	require.NoError(t, db.Indexed(ctx, testModel.Fingerprint), "vectors that are there keep their index")
}

func TestIndexesOfARetiredLibraryAreTakenOff(t *testing.T) {
	db, _ := library(t)
	ctx := t.Context()
	known, err := db.model(ctx, testModel.Fingerprint)
	require.NoError(t, err)
	flag := mustFlag(t, db, newFlag("default", "a", random(rand.New(rand.NewPCG(1, 1)))))
	_, err = db.Retract(ctx, flag.ID.String(), "mo", "wrong")
	require.NoError(t, err)
	require.NoError(t, db.beginLoad(ctx, &known.id))
	require.ErrorIs(t, db.Indexed(ctx, testModel.Fingerprint), ErrIndexing)
}
