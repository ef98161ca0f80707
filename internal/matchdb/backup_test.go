package matchdb

import (
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The commands of docs/operations/backup.md bring a library back with its roles, its audit log and its rights.
func TestBackupAndRestore(t *testing.T) {
	source := server(t).URL
	_, _, err := Migrate(t.Context(), source)
	require.NoError(t, err)
	db := open(t, source)
	require.NoError(t, db.RegisterModel(t.Context(), testModel))
	require.NoError(t, exec(t, source, "CREATE ROLE app LOGIN IN ROLE moderator_reader; CREATE ROLE alice LOGIN IN ROLE moderator_curator"))
	flag, q, h := hashed("a", 1)
	id := mustFlag(t, db, flag).ID
	folder := t.TempDir()
	roles, dump := filepath.Join(folder, "roles.sql"), filepath.Join(folder, "library.dump")
	client(t, "pg_dumpall", "--roles-only", "--no-role-passwords", "--file="+roles, "--dbname="+source)
	client(t, "pg_dump", "--format=custom", "--file="+dump, source)

	t.Run("on a new server", func(t *testing.T) {
		target := server(t).URL
		client(t, "psql", "--file="+roles, target)
		client(t, "pg_restore", "--exit-on-error", "--dbname="+target, dump)
		moderator := open(t, user(t, target, "app"))
		_, err := moderator.CheckSchema(t.Context())
		require.NoError(t, err)
		follow(t, moderator).requireFound(t, id, q, h)
		_, err = moderator.Flag(t.Context(), flag)
		require.Equal(t, insufficientPrivilege, pgCode(err), "moderator's login only reads")

		curator := open(t, user(t, target, "alice"))
		before, err := open(t, source).Audit(t.Context(), AuditFilter{})
		require.NoError(t, err)
		after, err := open(t, target).Audit(t.Context(), AuditFilter{})
		require.NoError(t, err)
		require.Equal(t, before, after)
		next, _, _ := hashed("b", 2)
		mustFlag(t, curator, next)
		require.Error(t, exec(t, target, "DELETE FROM audit_log"), "nobody deletes there, not even the owner")
	})
	t.Run("in place, while moderators run", func(t *testing.T) {
		f := follow(t, open(t, user(t, source, "app")))
		f.requireFound(t, id, q, h)
		later, qLater, _ := hashed("c", 3)
		lost := mustFlag(t, db, later).ID
		require.Contains(t, nearestOf(t, f.DB, qLater.Vector), lost)
		client(t, "psql", "--command=DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO PUBLIC", source)
		client(t, "pg_restore", "--single-transaction", "--dbname="+source, dump)
		f.requireFound(t, id, q, h)
		require.NotContains(t, nearestOf(t, f.DB, qLater.Vector), lost, "flagged after the dump")
	})
}

// user returns the URL with another login.
func user(t *testing.T, base, name string) string {
	t.Helper()
	u, err := url.Parse(base)
	require.NoError(t, err)
	query := u.Query()
	query.Set("user", name)
	u.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20")
	return u.String()
}
