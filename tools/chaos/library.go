package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/jackc/pgx/v5"

	"moderator/internal/devstack"
)

// library is the Postgres cluster. Restarts keep its URL.
type library struct {
	mu  sync.Mutex // held while it is down
	dir string
	pg  *devstack.Postgres
}

func (l *library) start(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	l.pg, err = devstack.StartPostgres(ctx, devstack.PGOptions{DataDir: l.dir})
	return err
}

func (l *library) url() string { return l.pg.URL }

// kill sends the signal to the server's parent process and waits for its end. The processes of connections may outlive it for a
// moment, as after a crash.
func (l *library) kill(ctx context.Context, sig syscall.Signal) error {
	text, err := os.ReadFile(filepath.Join(l.dir, "data", "postmaster.pid"))
	if err != nil {
		return err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		return fmt.Errorf("postmaster.pid: %w", err)
	}
	if err := syscall.Kill(pid, sig); err != nil {
		return fmt.Errorf("kill Postgres (pid %d): %w", pid, err)
	}
	select {
	case <-l.pg.Done():
	case <-ctx.Done():
	}
	return l.stop(ctx) // releases the folder for the next start
}

// cut ends every connection, even in the middle of a statement.
func (l *library) cut(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, l.pg.URL)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'`)
	return err
}

// stop ends the server, if it was started.
func (l *library) stop(ctx context.Context) error {
	if l.pg == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	return l.pg.Stop(ctx)
}
