package matchdb

import (
	"database/sql"
	"math/rand/v2"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/pgvector/pgvector-go"
	"github.com/stretchr/testify/require"

	"moderator/internal/testenv"
)

// libraryBefore is one of an earlier schema, with the test's model.
func libraryBefore(t *testing.T, version int64) (*DB, string) {
	t.Helper()
	url := testenv.Postgres(t)
	conn, err := sql.Open("pgx", url)
	require.NoError(t, err)
	provider, err := newProvider(conn)
	require.NoError(t, err)
	_, err = provider.UpTo(t.Context(), version)
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	db := open(t, url)
	require.NoError(t, db.RegisterModel(t.Context(), testModel))
	return db, url
}

// A library that is linked by likeness is found in as before once it is migrated.
func TestMigrateLinks(t *testing.T) {
	db, url := libraryBefore(t, 9)
	_, err := db.pool.Exec(t.Context(), "SELECT keep_recent(2)")
	require.NoError(t, err)
	r := rand.New(rand.NewPCG(1, 1))
	vector, before := random(r), float32(0.1)
	penalty := Rounded(before)
	old, kept := extended(vector, -before/64), extended(vector, 64)
	flagged := mustFlag(t, db, newFlag("default", "flagged", vector)).ID
	retracted := mustFlag(t, db, newFlag("default", "retracted", vector)).ID
	_, err = db.Retract(t.Context(), retracted.String(), "ann", "an error")
	require.NoError(t, err)
	for _, table := range []string{"flagged_embedding", "retracted_embedding"} {
		_, err = db.pool.Exec(t.Context(), "UPDATE "+table+" SET penalty = $1, embedding = $2", before, old)
		require.NoError(t, err)
	}
	_, err = db.pool.Exec(t.Context(), `WITH i AS (INSERT INTO allowed_image (sha256, created_by) VALUES (sha256('allowed'), 'ann') RETURNING id)
		INSERT INTO allowed_embedding SELECT m.id, i.id, 'original', $1, $2 FROM i, model m`, before, old)
	require.NoError(t, err)
	_, err = db.pool.Exec(t.Context(), `INSERT INTO recent_view SELECT (now() AT TIME ZONE 'UTC')::date, 's', 1, 0, id, $1, $2 FROM model`, before, kept)
	require.NoError(t, err)

	from, to, err := Migrate(t.Context(), url)
	require.NoError(t, err)
	require.EqualValues(t, 9, from)
	require.Greater(t, to, from)
	for table, want := range map[string]pgvector.HalfVector{
		"flagged_embedding": StoredVector(vector, penalty), "retracted_embedding": StoredVector(vector, penalty),
		"allowed_embedding": StoredVector(vector, penalty), "recent_view": QueryVector(vector),
	} {
		var same bool
		require.NoError(t, db.pool.QueryRow(t.Context(), "SELECT embedding = $1 FROM "+table, want).Scan(&same), table)
		require.True(t, same, table)
	}
	hits := match(t, db, Query{Vector: vector, Penalty: penalty})[0]
	require.Len(t, hits, 1)
	require.Equal(t, flagged, hits[0].FlaggedID)
	require.InDelta(t, 1-2*penalty, hits[0].Score, Tolerance)
}
