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
	port         = "5432" // names the socket's file; nothing listens on TCP

	startTimeout = 2 * time.Minute // crash recovery of a big library included
	stopTimeout  = 30 * time.Second
)

// PGOptions says where a private cluster lives.
type PGOptions struct {
	// DataDir is the cluster's own directory; made when missing, initialised on its first use.
	DataDir string
	// Volatile gives up durability for speed: no fsync anywhere. For tests.
	Volatile bool
}

// Postgres is a running private cluster.
type Postgres struct {
	// URL connects to the database "moderator" as the cluster's superuser, over the unix socket.
	URL string
	// LogFile is where the server writes its messages.
	LogFile string

	proc   *process
	lock   *os.File
	socket string // the socket's folder
}

// StartPostgres starts the cluster of o.DataDir, after initdb on its first use, and returns when it takes connections
// and its database exists. A server that outlived its killed owner is stopped first. Errors: ErrNoPostgres, ErrInUse
// (another live process owns the directory), a directory that the server's user cannot reach, and whatever the
// server's log says when it ends before it is ready.
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

// waitReady returns nil once the server takes connections, or why it will not.
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

// sleep waits for d and reports whether ctx still holds.
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
	if errors.As(err, &pgErr) && pgErr.Code == "42P04" { // duplicate_database: every start but the first
		return nil
	}
	return err
}

func socketURL(socket, database string) string {
	return "postgres:///" + database + "?host=" + url.PathEscape(socket) + "&port=" + port + "&user=" + superuser
}

// Done is closed when the server has ended, on its own or by Stop.
func (p *Postgres) Done() <-chan struct{} { return p.proc.Done() }

// Err says why the server ended without Stop having been called; nil while it runs and after Stop.
func (p *Postgres) Err() error {
	if !p.proc.Ended() || p.proc.stopping.Load() {
		return nil
	}
	return fmt.Errorf("PostgreSQL ended on its own: %w; the last lines of %s:\n%s", p.proc.Err(), p.LogFile, tail(p.LogFile))
}

// Stop shuts the server down fast, without regard for open connections, and waits for its end. When ctx ends first, it
// is stopped without a checkpoint (the next start recovers), and Stop returns ctx's error. A second call does nothing.
func (p *Postgres) Stop(ctx context.Context) error {
	defer func() { _ = p.lock.Close() }()
	err := p.proc.stop(ctx)
	_ = os.Remove(p.socket) // it may stand in the temporary folder; the server has emptied it unless it was killed
	return err
}
