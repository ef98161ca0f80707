package matchdb

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"moderator/internal/testenv"
)

func TestMigrateTwice(t *testing.T) {
	url := testenv.Postgres(t)
	from, to, err := Migrate(t.Context(), url)
	require.NoError(t, err)
	require.Zero(t, from)
	require.Positive(t, to)
	from, again, err := Migrate(t.Context(), url)
	require.NoError(t, err)
	require.Equal(t, to, from)
	require.Equal(t, to, again)
	want, err := wantedVersion()
	require.NoError(t, err)
	require.Equal(t, want, to)
}

// Roles are the cluster's: migrations of several databases race for them, those of one database for everything.
func TestMigrateConcurrently(t *testing.T) {
	var group errgroup.Group
	for range 3 {
		url := testenv.Postgres(t)
		for range 2 {
			group.Go(func() error {
				_, _, err := Migrate(t.Context(), url)
				return err
			})
		}
	}
	require.NoError(t, group.Wait())
}

// An owner who is no superuser gets by once an administrator has made the extension and the roles.
func TestMigrateWithoutRights(t *testing.T) {
	db, _ := library(t) // so that the roles exist
	empty := testenv.Postgres(t)
	plain := as(t, db, empty, "moderator_reader")
	_, _, err := Migrate(t.Context(), plain)
	require.ErrorIs(t, err, ErrSchema)
	require.ErrorContains(t, err, "CREATE EXTENSION vector")

	require.NoError(t, exec(t, empty, "CREATE EXTENSION vector; GRANT CREATE ON SCHEMA public TO moderator_reader"))
	_, _, err = Migrate(t.Context(), plain)
	require.NoError(t, err)
	require.NoError(t, open(t, plain).RegisterModel(t.Context(), testModel))
	require.NoError(t, exec(t, empty, "DROP OWNED BY moderator_reader; REASSIGN OWNED BY "+userOf(t, plain)+" TO postgres"))
}

func TestCheckSchema(t *testing.T) {
	url := testenv.Postgres(t)
	_, err := open(t, url).CheckSchema(t.Context())
	require.ErrorIs(t, err, ErrSchema)
	require.ErrorContains(t, err, "run `moderator migrate`")

	_, to, err := Migrate(t.Context(), url)
	require.NoError(t, err)
	db := open(t, url)
	warning, err := db.CheckSchema(t.Context())
	require.NoError(t, err)
	t.Log(warning)

	require.NoError(t, exec(t, url, fmt.Sprintf("INSERT INTO schema_version (version_id, is_applied) VALUES (%d, true)", to+1)))
	_, err = db.CheckSchema(t.Context())
	require.ErrorContains(t, err, fmt.Sprintf("version %d, this binary knows up to %d: run the newer moderator", to+1, to))
	_, _, err = Migrate(t.Context(), url)
	require.ErrorContains(t, err, "run the newer moderator")

	require.NoError(t, exec(t, url, fmt.Sprintf("DELETE FROM schema_version WHERE version_id >= %d", to)))
	_, err = db.CheckSchema(t.Context())
	require.ErrorContains(t, err, fmt.Sprintf("version %d, this binary needs %d: run `moderator migrate`", to-1, to))

	require.NoError(t, exec(t, url, fmt.Sprintf("INSERT INTO schema_version (version_id, is_applied) VALUES (%d, true)", to)))
	require.NoError(t, exec(t, url, "DROP EXTENSION vector CASCADE"))
	_, err = db.CheckSchema(t.Context())
	require.ErrorContains(t, err, "CREATE EXTENSION vector")
}

// A development version's database stays as it is, and the error names the way out.
func TestDevelopmentSchemaIsRefused(t *testing.T) {
	url := testenv.Postgres(t)
	schema, err := os.ReadFile("testdata/development.sql")
	require.NoError(t, err)
	require.NoError(t, exec(t, url, string(schema)))
	_, err = open(t, url).CheckSchema(t.Context())
	from, to, migrateErr := Migrate(t.Context(), url)
	require.Equal(t, []int64{18, 18}, []int64{from, to})
	for _, err := range []error{err, migrateErr} {
		require.ErrorIs(t, err, ErrSchema)
		require.ErrorContains(t, err, "version 18, which a development version made")
		require.ErrorContains(t, err, "`flagctl export --to FILE` of that version, then run `flagctl migrate` and `flagctl import FILE`")
	}
	require.NoError(t, exec(t, url, "SELECT half FROM flagged_embedding"))
}

func TestVectorVersion(t *testing.T) {
	for version, want := range map[string]struct{ warning, err string }{
		"":      {err: "no pgvector"},
		"0.5.1": {err: "its pgvector is 0.5.1, wanted is 0.8.0 or later"},
		"0.8.0": {warning: "0.8.4"},
		"0.8.3": {warning: "0.8.4"},
		"0.8.4": {},
		"0.8":   {warning: "0.8.4"},
		"0.10":  {},
		"1.0.0": {},
	} {
		warning, err := vectorVersion(version)
		if want.err != "" {
			require.ErrorContains(t, err, want.err, version)
			continue
		}
		require.NoError(t, err, version)
		require.Equal(t, want.warning == "", warning == "", version)
	}
}

func TestOpenSaysWhere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	closed := l.Addr().String()
	require.NoError(t, l.Close())
	good := testenv.Postgres(t)
	missing := strings.Replace(good, "/test_", "/absent_", 1)
	for url, want := range map[string]string{
		"postgres://ann:secret@" + closed + "/library": "Postgres at " + closed + `, database "library", user "ann": connect: connection refused: start it, or correct --database-url`,
		missing:                                       "does not exist: start it, or correct --database-url",
		"postgres://host:port/x":                      "--database-url: ",
		"postgres://ann:secret@[::1/db":               "want postgres://user:password@host:port/database",
		"postgres://ann:secret/1@h/db":                "want postgres://user:password@host:port/database",
		"ann:secret@host/db":                          "want postgres://user:password@host:port/database",
		"host=h password=1 secret":                    "want postgres://user:password@host:port/database",
		"host=h password='secret":                     "want postgres://user:password@host:port/database",
		"postgres://ann:secret@h/db?sslmode=nonsense": "--database-url: ",
	} {
		_, err := Open(t.Context(), url)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "\n")
		require.NotContains(t, err.Error(), "secret")
		_, _, err = Migrate(t.Context(), url)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "secret")
	}
	_, err = Open(t.Context(), "postgres://ann@"+closed+"/library")
	require.True(t, Retryable(err))
	_, err = Open(t.Context(), missing)
	require.False(t, Retryable(err))
}

func TestRetryable(t *testing.T) {
	db, url := library(t)
	require.False(t, Retryable(nil))
	require.False(t, Retryable(context.Canceled))
	require.True(t, Retryable(fmt.Errorf("match: %w", context.DeadlineExceeded)))

	_, err := db.pool.Exec(t.Context(), "SELECT 1/0")
	require.False(t, Retryable(err))
	_, err = db.pool.Exec(t.Context(), "SET statement_timeout = 1; SELECT pg_sleep(5)")
	require.True(t, Retryable(err), "%v", err)

	conn, err := db.pool.Acquire(t.Context())
	require.NoError(t, err)
	defer conn.Release()
	require.NoError(t, exec(t, url, fmt.Sprintf("SELECT pg_terminate_backend(%d)", conn.Conn().PgConn().PID())))
	_, err = conn.Exec(t.Context(), "SELECT pg_sleep(5)")
	require.True(t, Retryable(err), "%v", err)
}
