package matchdb

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

func TestMatchingIsRefusedUntilTheIndexIsBuilt(t *testing.T) {
	db, url := library(t)
	ctx := t.Context()
	r := rand.New(rand.NewPCG(1, 1))
	hash := HashQuery{PDQ: []PDQ{{Hash: randomHash(r), Quality: 100}}}
	require.NoError(t, db.Indexed(ctx))

	require.NoError(t, db.beginLoad(ctx))
	f := newFlag("default", "a", random(r))
	f.PDQ = []PDQ{{View: "original", Hash: hash.PDQ[0].Hash, Quality: 100}}
	flag := mustFlag(t, db, f)
	_, err := db.MatchHashes(ctx, []HashQuery{hash})
	require.ErrorIs(t, err, ErrIndexing)
	require.True(t, Retryable(err))
	require.ErrorContains(t, err, "the index of flagged_pdq is not built yet")
	_, err = db.MatchHashes(ctx, []HashQuery{{SHA256: sum256("a")}})
	require.ErrorIs(t, err, ErrIndexing, "an upload is never judged by a part of its signals")

	said := 0
	reader := open(t, as(t, db, url, "moderator_reader"))
	require.ErrorIs(t, reader.Indexed(ctx), ErrIndexing)
	curator := open(t, as(t, db, url, "moderator_curator"))
	require.NoError(t, curator.BuildIndex(ctx, 1<<30, func(IndexProgress) { said++ }))
	require.Positive(t, said)
	require.NoError(t, reader.Indexed(ctx))
	hits, err := db.MatchHashes(ctx, []HashQuery{hash})
	require.NoError(t, err)
	require.Equal(t, flag.ID, hits[0][0].FlaggedID)
	require.NoError(t, curator.BuildIndex(ctx, 1<<30, func(IndexProgress) { t.Error("built again") }))

	require.NoError(t, curator.beginLoad(ctx))
	require.NoError(t, db.Indexed(ctx), "hashes that are there keep their index")
}

func TestIndexesOfARetiredLibraryAreTakenOff(t *testing.T) {
	db, _ := library(t)
	ctx := t.Context()
	r := rand.New(rand.NewPCG(1, 1))
	f := newFlag("default", "a", random(r))
	f.PDQ = []PDQ{{View: "original", Hash: randomHash(r), Quality: 100}}
	flag := mustFlag(t, db, f)
	_, err := db.Retract(ctx, flag.ID.String(), "mo", "wrong")
	require.NoError(t, err)
	require.NoError(t, db.beginLoad(ctx))
	require.ErrorIs(t, db.Indexed(ctx), ErrIndexing)
}

// How far the server is with an index is said while it builds: this one waits at its first row until that was said.
func TestTheBuildingOfAnIndexIsReported(t *testing.T) {
	db, url := library(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, db.beginLoad(ctx))
	f := newFlag("default", "a", random(rand.New(rand.NewPCG(1, 1))))
	f.PDQ = []PDQ{{View: "original", Hash: randomHash(rand.New(rand.NewPCG(2, 2))), Quality: 100}}
	mustFlag(t, db, f)
	require.NoError(t, exec(t, url, `ALTER FUNCTION pdq_keys RENAME TO pdq_keys_at_once;
		CREATE FUNCTION pdq_keys(hash bit(256)) RETURNS int[] LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS
		'BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN pdq_keys_at_once(hash); END'`))
	holder, err := pgx.Connect(ctx, url)
	require.NoError(t, err)
	defer func() { _ = holder.Close(context.Background()) }()
	_, err = holder.Exec(ctx, "SELECT pg_advisory_lock(1)")
	require.NoError(t, err)

	var said []IndexProgress
	require.NoError(t, db.BuildIndex(ctx, 1<<30, func(p IndexProgress) {
		said = append(said, p)
		if p.Total > 0 {
			_, _ = holder.Exec(ctx, "SELECT pg_advisory_unlock_all()")
		}
	}), "it goes on once a total was said")
	require.Equal(t, IndexProgress{}, said[0], "at its beginning nothing is counted yet")
	counted := slices.IndexFunc(said, func(p IndexProgress) bool { return p.Total > 0 })
	require.Equal(t, int64(1), said[counted].Total, "the table has one block")
	require.LessOrEqual(t, said[counted].Done, said[counted].Total)
}
