package matchdb

import (
	"fmt"
	"net"
	"net/url"
	"os"
	osexec "os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"moderator/internal/devstack"
	"moderator/internal/testenv"
)

// encrypted is a server on TCP that takes connections by TLS and password only.
func encrypted(t *testing.T, password string) (port int, ca string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "tls-") // t.TempDir may not be entered by the server's user
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	require.NoError(t, os.Chmod(dir, 0o755))
	pg, err := devstack.StartPostgres(t.Context(), devstack.PGOptions{DataDir: dir, Volatile: true})
	require.NoError(t, err)
	require.NoError(t, exec(t, pg.URL, "ALTER ROLE postgres PASSWORD '"+password+"'"))
	require.NoError(t, pg.Stop(t.Context()))

	data := filepath.Join(dir, "data")
	info, err := os.Stat(data)
	require.NoError(t, err)
	owner := info.Sys().(*syscall.Stat_t)
	authority, key := testenv.Authority(t)
	cert, private := testenv.Certificate(t, authority, key)
	for name, content := range map[string][]byte{
		"server.crt": cert, "server.key": private, "pg_hba.conf": []byte("hostssl all all 127.0.0.1/32 scram-sha-256\n"),
	} {
		path := filepath.Join(data, name)
		require.NoError(t, os.WriteFile(path, content, 0o600))
		require.NoError(t, os.Chown(path, int(owner.Uid), int(owner.Gid)))
	}
	ca = filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(ca, authority, 0o600))

	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port = l.Addr().(*net.TCPAddr).Port
	require.NoError(t, l.Close())
	bin, err := devstack.FindPostgres()
	require.NoError(t, err)
	command := osexec.Command(filepath.Join(bin, "postgres"), "-D", data, "-c", "ssl=on", "-c", "listen_addresses=127.0.0.1",
		"-c", fmt.Sprint("port=", port), "-c", "unix_socket_directories=", "-c", "fsync=off")
	command.Dir, command.Stderr = data, t.Output()
	if os.Getuid() == 0 {
		command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}}
	}
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGQUIT)
		_ = command.Wait()
	})
	return port, ca
}

// The library is reached as libpq's settings say: by a verified server, with passwords in a file, and by a service's name.
func TestTLS(t *testing.T) {
	port, ca := encrypted(t, "hidden")
	base := fmt.Sprintf("postgres://postgres:hidden@127.0.0.1:%d/moderator?sslmode=", port)
	verified := base + "verify-full&sslrootcert=" + url.QueryEscape(ca)
	require.Eventually(t, func() bool {
		conn, err := pgx.Connect(t.Context(), verified)
		return err == nil && conn.Close(t.Context()) == nil
	}, time.Minute, 20*time.Millisecond)
	_, _, err := Migrate(t.Context(), verified)
	require.NoError(t, err)

	dir := t.TempDir()
	passwords := filepath.Join(dir, "pgpass")
	require.NoError(t, os.WriteFile(passwords, fmt.Appendf(nil, "127.0.0.1:%d:moderator:postgres:hidden\n", port), 0o600))
	services := filepath.Join(dir, "services")
	require.NoError(t, os.WriteFile(services, fmt.Appendf(nil,
		"[library]\nhost=127.0.0.1\nport=%d\nuser=postgres\ndbname=moderator\nsslmode=verify-full\nsslrootcert=%s\n", port, ca), 0o600))
	passfile := fmt.Sprintf("postgres://postgres@127.0.0.1:%d/moderator?sslmode=verify-full&sslrootcert=%s&passfile=%s", port, url.QueryEscape(ca), url.QueryEscape(passwords))
	for name, text := range map[string]string{
		"verify-full": verified,
		"passfile":    passfile,
		"service":     fmt.Sprintf("service=library servicefile=%s passfile=%s", services, passwords),
	} {
		db, err := Open(t.Context(), text)
		require.NoError(t, err, name)
		_, err = db.CheckSchema(t.Context())
		require.NoError(t, err, name)
		db.Close()
	}

	other, _ := testenv.Authority(t)
	wrong := filepath.Join(dir, "other.pem")
	require.NoError(t, os.WriteFile(wrong, other, 0o600))
	for text, want := range map[string]string{
		base + "verify-full&sslrootcert=" + url.QueryEscape(wrong): "certificate",
		base + "disable": "no encryption",
		base + "verify-full&sslrootcert=" + url.QueryEscape("/no/such"): "/no/such",
	} {
		db, err := Open(t.Context(), text)
		if err == nil {
			_, err = db.CheckSchema(t.Context())
			db.Close()
		}
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "hidden")
	}
}
