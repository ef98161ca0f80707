package testenv

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

func TestRootHoldsTheModule(t *testing.T) {
	require.FileExists(t, filepath.Join(Root(), "go.mod"))
}

func TestDataFollowsTheVariable(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("MODERATOR_TESTDATA", dir)
	require.Equal(t, dir, Data(t))
}

func TestEveryTestHasADatabaseOfItsOwn(t *testing.T) {
	urls := map[string]bool{}
	for range 3 {
		t.Run("", func(t *testing.T) {
			url := Postgres(t)
			require.False(t, urls[url])
			urls[url] = true
			conn, err := pgx.Connect(t.Context(), url)
			require.NoError(t, err)
			_, err = conn.Exec(t.Context(), "CREATE TABLE mine ()")
			require.NoError(t, err)
			_, err = conn.Exec(t.Context(), "CREATE EXTENSION vector")
			require.NoError(t, err)
		})
	}
}

func TestNATSHasJetStream(t *testing.T) {
	nc, err := nats.Connect(NATS(t))
	require.NoError(t, err)
	defer nc.Close()
	js, err := nc.JetStream()
	require.NoError(t, err)
	info, err := js.AccountInfo()
	require.NoError(t, err)
	require.Zero(t, info.Streams)
	require.EqualValues(t, 8<<20, nc.MaxPayload())
}
