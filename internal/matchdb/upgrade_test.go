package matchdb

import (
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"moderator/internal/pdq"
	"moderator/internal/testenv"
)

// releases are the versions of the schema that were released. testdata has a library of each, as its programs write it.
var releases = map[string]int64{"0.1.0": 206}

// The library of each release is brought to this binary's schema, and has all that it had.
func TestUpgradeFromEachRelease(t *testing.T) {
	for release, version := range releases {
		t.Run(release, func(t *testing.T) {
			url := testenv.Postgres(t)
			upTo(t, url, version)
			written, err := os.ReadFile("testdata/release-" + release + ".sql")
			require.NoError(t, err)
			require.NoError(t, exec(t, url, string(written)))
			from, to, err := Migrate(t.Context(), url)
			require.NoError(t, err)
			want, err := wantedVersion()
			require.NoError(t, err)
			require.Equal(t, []int64{version, want}, []int64{from, to})
			requireReleased(t, open(t, url))
		})
	}
}

// upTo migrates an empty database as a release did whose newest migration was that version.
func upTo(t *testing.T, url string, version int64) {
	t.Helper()
	config, err := pgx.ParseConfig(url)
	require.NoError(t, err)
	conn := stdlib.OpenDB(*config)
	defer conn.Close()
	provider, err := newProvider(conn)
	require.NoError(t, err)
	_, err = provider.UpTo(t.Context(), version)
	require.NoError(t, err)
}

// requireReleased checks what testdata/release-*.sql wrote.
func requireReleased(t *testing.T, db *DB) {
	t.Helper()
	ctx := t.Context()
	_, err := db.CheckSchema(ctx)
	require.NoError(t, err)
	require.NoError(t, db.CheckModel(ctx, testModel.Fingerprint))
	q := Query{Vector: make([]float32, dims)}
	q.Vector[0] = 1
	hits, err := db.Match(ctx, testModel.Fingerprint, []Query{q})
	require.NoError(t, err)
	require.Len(t, hits[0], 1)
	require.Equal(t, "11111111-0000-0000-0000-000000000000", hits[0][0].FlaggedID.String())
	var hash pdq.Hash
	for i := range hash {
		hash[i] = 0b01010101
	}
	found, err := db.MatchHashes(ctx, []HashQuery{{PDQ: []PDQ{{View: "original", Hash: hash, Quality: 100}}}})
	require.NoError(t, err)
	require.NotEmpty(t, found[0])

	banks, err := db.Banks(ctx, testModel.Fingerprint)
	require.NoError(t, err)
	require.Equal(t, []any{"spam", 1, 0.7, 20}, []any{banks[1].Name, banks[1].Flags, banks[1].BlockAt, *banks[1].PDQDistance})
	allowed, err := db.AllowList(ctx)
	require.NoError(t, err)
	require.Len(t, allowed, 1)
	history, err := db.History(ctx, "11111111")
	require.NoError(t, err)
	require.Equal(t, []string{"ann insert flagged_image"}, actions(history))
	restored, err := db.Restore(ctx, "22222222", "ann", "no mistake")
	require.NoError(t, err)
	require.Equal(t, 1, restored.Views)
}
