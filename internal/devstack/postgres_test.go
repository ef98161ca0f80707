package devstack_test

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"moderator/internal/devstack"
)

// ownerDir is a variable. If it is set, this test binary is an owner: it starts the cluster of that directory and waits.
const ownerDir = "DEVSTACK_TEST_OWNER_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(ownerDir); dir != "" {
		pg, err := devstack.StartPostgres(context.Background(), devstack.PGOptions{DataDir: dir, Volatile: true})
		if err != nil {
			panic(err)
		}
		os.Stdout.WriteString(pg.URL + "\n")
		select {}
	}
	goleak.VerifyTestMain(m)
}

// dataDir returns a directory that the server's user can reach, with a short path for the socket.
func dataDir(t *testing.T) string {
	if _, err := devstack.FindPostgres(); err != nil {
		t.Skip(err)
	}
	dir, err := os.MkdirTemp("", "devstack-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755))
	return dir
}

func startPostgres(t *testing.T, dir string) *devstack.Postgres {
	pg, err := devstack.StartPostgres(t.Context(), devstack.PGOptions{DataDir: dir, Volatile: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pg.Stop(context.Background())) })
	return pg
}

func query(t *testing.T, url, sql string) string {
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer func() { _ = conn.Close(t.Context()) }()
	var text string
	require.NoError(t, conn.QueryRow(t.Context(), sql).Scan(&text))
	return text
}

func TestStartStopStart(t *testing.T) {
	dir := dataDir(t)
	pg := startPostgres(t, dir)
	require.Equal(t, "moderator", query(t, pg.URL, "SELECT current_database()"))
	require.Equal(t, "", query(t, pg.URL, "SHOW listen_addresses"))
	require.Equal(t, "4711", query(t, pg.URL, "SELECT lo_create(4711)::text"))
	require.NoError(t, pg.Stop(t.Context()))
	<-pg.Done()
	require.NoError(t, pg.Err())
	require.NoError(t, pg.Stop(t.Context()), "a second Stop does nothing")

	again := startPostgres(t, dir)
	require.Equal(t, "4711", query(t, again.URL, "SELECT oid::text FROM pg_largeobject_metadata"))
}

func TestAnotherLiveOwnerIsNotDisturbed(t *testing.T) {
	dir := dataDir(t)
	pg := startPostgres(t, dir)
	_, err := devstack.StartPostgres(t.Context(), devstack.PGOptions{DataDir: dir})
	require.ErrorIs(t, err, devstack.ErrInUse)
	require.ErrorContains(t, err, "--data-dir")
	require.Equal(t, "1", query(t, pg.URL, "SELECT '1'"))
}

func TestOnlyTheServersUserEntersTheSocketsFolder(t *testing.T) {
	dir := dataDir(t)
	startPostgres(t, dir)
	for _, name := range []string{"run", "data"} {
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o700), info.Mode().Perm(), name)
	}
}

func TestLongPathGetsAShortSocket(t *testing.T) {
	dir := filepath.Join(dataDir(t), strings.Repeat("long-", 20))
	pg := startPostgres(t, dir)
	require.Equal(t, "1", query(t, pg.URL, "SELECT '1'"))
	require.NoDirExists(t, filepath.Join(dir, "run"))
	socket, _, _ := strings.Cut(query(t, pg.URL, "SHOW unix_socket_directories"), ",")
	socket = strings.Trim(socket, `"`)
	require.Contains(t, socket, "moderator-postgres-")
	require.NoError(t, pg.Stop(t.Context()))
	require.NoDirExists(t, socket)
}

func TestADirectoryWithBlanksAndCommas(t *testing.T) {
	pg := startPostgres(t, filepath.Join(dataDir(t), `a b,c"d`))
	require.Equal(t, "1", query(t, pg.URL, "SELECT '1'"))
}

func TestUnexpectedEndIsReported(t *testing.T) {
	dir := dataDir(t)
	pg := startPostgres(t, dir)
	require.NoError(t, pg.Err())
	require.NoError(t, syscall.Kill(serverPID(t, dir), syscall.SIGKILL))
	<-pg.Done()
	require.ErrorContains(t, pg.Err(), "PostgreSQL ended on its own: signal: killed")

	require.NoError(t, pg.Stop(t.Context()))
	after := startPostgres(t, dir) // the killed server's children may still be ending
	require.Equal(t, "1", query(t, after.URL, "SELECT '1'"))
}

func TestServerFollowsAKilledOwner(t *testing.T) {
	dir := dataDir(t)
	owner := startOwner(t, dir)
	pid := serverPID(t, dir)
	require.NoError(t, owner.Process.Kill())
	_ = owner.Wait()
	require.Eventually(t, func() bool { return syscall.Kill(pid, 0) != nil }, 20*time.Second, 20*time.Millisecond)
}

func TestOrphanIsStoppedFirst(t *testing.T) {
	dir := dataDir(t)
	owner := startOwner(t, dir)
	pid := serverPID(t, dir)
	// SIGSTOP keeps the server from ending with its owner, as on a system without a parent-death signal.
	require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
	require.NoError(t, owner.Process.Kill())
	_ = owner.Wait()
	go func() { _ = syscall.Kill(pid, syscall.SIGCONT) }()
	pg := startPostgres(t, dir)
	require.Equal(t, "1", query(t, pg.URL, "SELECT '1'"))
	require.NotEqual(t, pid, serverPID(t, dir))
}

func TestForeignPidIsLeftAlone(t *testing.T) {
	dir := dataDir(t)
	pg := startPostgres(t, dir)
	require.NoError(t, pg.Stop(t.Context()))
	bystander := exec.Command("sleep", "60")
	require.NoError(t, bystander.Start())
	t.Cleanup(func() { _ = bystander.Process.Kill(); _ = bystander.Wait() })
	pidFile := filepath.Join(dir, "data", "postmaster.pid")
	require.NoError(t, os.WriteFile(pidFile, []byte(strconv.Itoa(bystander.Process.Pid)+"\n"), 0o600))
	again := startPostgres(t, dir)
	require.Equal(t, "1", query(t, again.URL, "SELECT '1'"))
	require.NoError(t, syscall.Kill(bystander.Process.Pid, 0))
}

func TestRootNamesTheClosedFolder(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root starts the server as another user")
	}
	closed := filepath.Join(dataDir(t), "closed")
	require.NoError(t, os.Mkdir(closed, 0o700))
	_, err := devstack.StartPostgres(t.Context(), devstack.PGOptions{DataDir: filepath.Join(closed, "below")})
	require.ErrorContains(t, err, "cannot enter "+closed+": choose another --data-dir")
}

func TestInterruptedInitIsRepeated(t *testing.T) {
	dir := dataDir(t)
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "data.new", "half"), 0o700))
	pg := startPostgres(t, dir)
	require.Equal(t, "1", query(t, pg.URL, "SELECT '1'"))
}

func startOwner(t *testing.T, dir string) *exec.Cmd {
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), ownerDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	_, err = bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	return cmd
}

func serverPID(t *testing.T, dir string) int {
	text, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid"))
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.SplitN(string(text), "\n", 2)[0])
	require.NoError(t, err)
	return pid
}
