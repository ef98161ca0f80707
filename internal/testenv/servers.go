package testenv

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"moderator/internal/devstack"
)

// cluster is this test binary's PostgreSQL cluster. The first call of Postgres starts it, Main stops it.
var cluster struct {
	once    sync.Once
	managed atomic.Bool // set by Main
	dir     string
	pg      *devstack.Postgres
	err     error
	next    atomic.Int64
}

// NATSLeak is a goroutine of nats.go that may be left. If it starts after its publisher was cleaned up, it waits for ever on a nil channel.
// A connection that nobody closed leaves others.
var NATSLeak = goleak.IgnoreTopFunction("github.com/nats-io/nats.go/jetstream.(*jetStream).resetPendingAcksOnReconnect")

// Main runs the package's tests, stops the cluster that Postgres started, and returns the exit code. It fails if a goroutine
// is left.
func Main(m goleak.TestingM) int {
	cluster.managed.Store(true)
	code := m.Run()
	if err := stopCluster(); err != nil {
		fmt.Fprintln(os.Stderr, "testenv: stop PostgreSQL:", err)
		code = 1
	}
	if code == 0 {
		if err := goleak.Find(NATSLeak); err != nil {
			fmt.Fprintln(os.Stderr, "testenv:", err)
			code = 1
		}
	}
	return code
}

func stopCluster() error {
	cluster.once.Do(func() {}) // so that no test starts it any more
	var err error
	if cluster.pg != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		err = cluster.pg.Stop(ctx)
	}
	if cluster.dir != "" {
		err = errors.Join(err, os.RemoveAll(cluster.dir))
	}
	return err
}

// Postgres returns the URL of a new, empty database for t, as superuser. The database is dropped when t ends. The tests of a
// package share a cluster, and so its roles. Postgres skips t where the machine has no PostgreSQL with pgvector.
func Postgres(t testing.TB) string {
	t.Helper()
	if !cluster.managed.Load() {
		t.Fatal("testenv.Postgres needs `func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }` in this package")
	}
	cluster.once.Do(func() { cluster.pg, cluster.err = startCluster() })
	if errors.Is(cluster.err, devstack.ErrNoPostgres) {
		t.Skip(cluster.err)
	}
	require.NoError(t, cluster.err)
	name := fmt.Sprintf("test_%d", cluster.next.Add(1))
	execute(t, "CREATE DATABASE "+name)
	t.Cleanup(func() { execute(t, "DROP DATABASE "+name+" WITH (FORCE)") })
	u, err := url.Parse(cluster.pg.URL)
	require.NoError(t, err)
	u.Path = "/" + name
	return u.String()
}

func startCluster() (*devstack.Postgres, error) {
	var err error
	if cluster.dir, err = os.MkdirTemp("", "moderator-test-"); err != nil {
		return nil, err
	}
	// The server may run as another user, who has to pass through.
	if err := os.Chmod(cluster.dir, 0o755); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return devstack.StartPostgres(ctx, devstack.PGOptions{DataDir: cluster.dir, Volatile: true})
}

func execute(t testing.TB, sql string) {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, cluster.pg.URL)
	require.NoError(t, err)
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, sql)
	require.NoError(t, err)
}

// NATS returns the client URL of a new, empty JetStream server for t, in this process. It is shut down when t ends. Its
// warnings go to t's log.
func NATS(t testing.TB) string {
	t.Helper()
	s, err := devstack.StartNATS(t.Context(), devstack.NATSOptions{
		StoreDir: t.TempDir(), Listen: "127.0.0.1:0", Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	require.NoError(t, err)
	t.Cleanup(s.Shutdown)
	return s.URL
}
