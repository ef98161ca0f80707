package devstack

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	superuser    = "postgres"
	databaseName = "moderator"
	port         = "5432" // only names the socket's file: nothing listens on TCP

	startTimeout = 2 * time.Minute // includes crash recovery of a large library
	stopTimeout  = 30 * time.Second
)

// PGOptions are the options of a private cluster.
type PGOptions struct {
	// DataDir is the cluster's own directory, made if missing and initialised on first use.
	DataDir string
	// Volatile turns fsync off: faster, but a crash of the machine loses data. For tests.
	Volatile bool
}

// Postgres is a running private cluster.
type Postgres struct {
	// URL connects to the database "moderator" as the cluster's superuser, over the Unix socket.
	URL string
	// LogFile is the path of the server's log.
	LogFile string

	proc   *process
	lock   *os.File
	socket string // the socket's folder
}

// StartPostgres starts the cluster of o.DataDir, and runs initdb on first use. It returns when the cluster takes connections
// and its database exists. It first stops a server that has outlived a killed owner. Errors: ErrNoPostgres, ErrInUse if
// another running process owns the directory, a directory that the server's user cannot reach, or the log of a server that
// ended before it was ready.
func StartPostgres(ctx context.Context, o PGOptions) (*Postgres, error) {
	bin, err := FindPostgres()
	if err != nil {
		return nil, err
	}
	as, err := serverUser()
	if err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(o.DataDir)
	if err != nil {
		return nil, err
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	pg, err := start(ctx, binariesIn(bin), as, dir, o.Volatile)
	if err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("start PostgreSQL in %s: %w", dir, err)
	}
	pg.lock = lock
	return pg, nil
}

func start(ctx context.Context, bin binaries, as runAs, dir string, volatile bool) (*Postgres, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	data := filepath.Join(dir, "data")
	if err := as.canEnter(dir); err != nil {
		return nil, err
	}
	if err := as.own(data); err != nil {
		return nil, err
	}
	socket, err := socketDir(as, dir)
	if err != nil {
		return nil, err
	}
	if err := stopOrphan(ctx, data); err != nil {
		return nil, err
	}
	if err := initialise(ctx, bin.initdb, as, data, volatile); err != nil {
		return nil, err
	}
	logFile := filepath.Join(dir, "postgres.log")
	if err := os.Rename(logFile, logFile+".old"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	proc, err := startReady(ctx, as, logFile, socket, serverArgs(bin.postgres, data, socket, volatile))
	if err != nil {
		return nil, err
	}
	pg := &Postgres{URL: socketURL(socket, databaseName), LogFile: logFile, proc: proc, socket: socket}
	if err := createDatabase(ctx, socketURL(socket, superuser)); err != nil {
		stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		return nil, errors.Join(err, proc.stop(stopCtx))
	}
	return pg, nil
}

// startReady starts the server and waits until it answers.
func startReady(ctx context.Context, as runAs, logFile, socket string, args []string) (*process, error) {
	proc, err := startProcess(as, logFile, args)
	if err != nil {
		return nil, err
	}
	if err := waitReady(ctx, proc, socketURL(socket, superuser)); err != nil {
		proc.kill()
		return nil, fmt.Errorf("%w; the last lines of %s:\n%s", err, logFile, tail(logFile))
	}
	return proc, nil
}

// waitReady returns nil when the server takes connections, or why it does not.
func waitReady(ctx context.Context, proc *process, url string) error {
	for {
		conn, err := pgx.Connect(ctx, url)
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-proc.Done():
			return fmt.Errorf("the server ended before it was ready: %w", proc.Err())
		default:
		}
		if !sleep(ctx, 20*time.Millisecond) {
			return fmt.Errorf("the server is not ready: %w", errors.Join(context.Cause(ctx), err))
		}
	}
}

// sleep waits for d. It reports whether ctx is still open.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

func createDatabase(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, "CREATE DATABASE "+databaseName)
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) && pgErr.Code == "42P04" { // duplicate_database: on every start but the first
		return nil
	}
	return err
}

func socketURL(socket, database string) string {
	return "postgres:///" + database + "?host=" + url.PathEscape(socket) + "&port=" + port + "&user=" + superuser
}

// Done is closed when the server has ended, on its own or by Stop.
func (p *Postgres) Done() <-chan struct{} { return p.proc.Done() }

// Err returns why the server ended without Stop; nil while it runs and after Stop.
func (p *Postgres) Err() error {
	if !p.proc.Ended() || p.proc.stopping.Load() {
		return nil
	}
	return fmt.Errorf("PostgreSQL ended on its own: %w; the last lines of %s:\n%s", p.proc.Err(), p.LogFile, tail(p.LogFile))
}

// Stop shuts the server down, closes open connections, and waits for its end. If ctx ends first, the server is stopped without
// a checkpoint, the next start recovers, and Stop returns ctx's error. A second call does nothing.
func (p *Postgres) Stop(ctx context.Context) error {
	defer func() { _ = p.lock.Close() }()
	err := p.proc.stop(ctx)
	_ = os.Remove(p.socket) // the folder may be in the temporary one; it is empty unless the server was killed
	return err
}
