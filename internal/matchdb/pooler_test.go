package matchdb

import (
	"fmt"
	"net"
	"os"
	osexec "os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// pooled is the database of a URL behind a PgBouncer in the given mode.
func pooled(t *testing.T, text, mode string) string {
	t.Helper()
	bin, err := osexec.LookPath("pgbouncer")
	if err != nil {
		t.Skip("no pgbouncer on this machine: install Debian's package pgbouncer to test poolers")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := l.Addr().(*net.TCPAddr).Port
	require.NoError(t, l.Close())
	dir, err := os.MkdirTemp("", "pgbouncer-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	require.NoError(t, os.Chmod(dir, 0o755))
	config := filepath.Join(dir, "pgbouncer.ini")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, `[databases]
library = %s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = any
pool_mode = %s
default_pool_size = 20
`, connection(t, text), port, mode), 0o644))
	args := []string{config}
	if os.Getuid() == 0 { // which it refuses to run as
		args = []string{"-u", "postgres", config} // as the server, whose socket is its own
	}
	command := osexec.CommandContext(t.Context(), bin, args...)
	command.Stderr = t.Output()
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	through := fmt.Sprintf("postgres://postgres@127.0.0.1:%d/library", port)
	require.Eventually(t, func() bool {
		conn, err := pgx.Connect(t.Context(), through)
		return err == nil && conn.Close(t.Context()) == nil
	}, time.Minute, 20*time.Millisecond)
	return through
}

func TestPoolingByTransactionIsRefused(t *testing.T) {
	_, url := library(t)
	through := pooled(t, url, "transaction")
	_, err := Open(t.Context(), through)
	require.ErrorIs(t, err, errPooled)
	require.ErrorContains(t, err, "pool_mode = session")
	_, _, err = Migrate(t.Context(), through)
	require.ErrorIs(t, err, errPooled)
}

func TestPoolingBySessionWorks(t *testing.T) {
	_, url := library(t)
	through := pooled(t, url, "session")
	_, _, err := Migrate(t.Context(), through)
	require.NoError(t, err)
	db := open(t, through)
	flag := mustFlag(t, db, newFlag("default", "a", axis()))
	require.Equal(t, flag.ID, match(t, db, Query{Vector: axis()})[0][0].FlaggedID)
}

// axis is a vector along the first axis.
func axis() []float32 {
	v := make([]float32, dims)
	v[0] = 1
	return v
}
