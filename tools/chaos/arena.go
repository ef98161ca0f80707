package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sync/errgroup"
)

// arena is the running processes and connections.
type arena struct {
	dir, bin string
	out      *progress
	broker   *broker
	library  *library
	replicas []*replica
	pipeline *publisher
	repairs  errgroup.Group // restarts of servers
}

// newArena starts the servers in a new folder and prepares the library.
func newArena(ctx context.Context, bin string, out *progress) (*arena, error) {
	dir, err := os.MkdirTemp("", "moderator-chaos-")
	if err != nil {
		return nil, err
	}
	a := &arena{dir: dir, bin: bin, out: out, library: &library{dir: filepath.Join(dir, "postgres")}}
	if err := os.Chmod(dir, 0o755); err != nil { // Postgres may run as a user of its own
		return a, err
	}
	if a.broker, err = newBroker(dir); err != nil {
		return a, err
	}
	if err := a.broker.start(ctx); err != nil {
		return a, err
	}
	if err := a.library.start(ctx); err != nil {
		return a, err
	}
	return a, a.command(ctx, "moderator", "migrate", "--database-url", a.library.url())
}

// stop stops the servers. Replicas end with the context of keep.
func (a *arena) stop(ctx context.Context) error {
	_ = a.repairs.Wait() // flow has reported their errors
	if a.broker != nil {
		a.broker.stop()
	}
	return a.library.stop(ctx)
}

// command runs one of the built commands and waits for it.
func (a *arena) command(ctx context.Context, name string, args ...string) error {
	said, err := exec.CommandContext(ctx, filepath.Join(a.bin, name), args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, args[0], err, said)
	}
	return nil
}

// flag flags the pictures with flagctl.
func (a *arena) flag(ctx context.Context, flagged []picture) error {
	dir := filepath.Join(a.dir, "flagged")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	for _, p := range flagged {
		if err := os.WriteFile(filepath.Join(dir, p.name), p.file, 0o644); err != nil {
			return err
		}
	}
	return a.command(ctx, "flagctl", "--database-url", a.library.url(), "--as", "chaos", "add", "--note", "chaos", dir)
}

// ready waits until every replica is ready.
func (a *arena) ready(ctx context.Context) error {
	for _, r := range a.replicas {
		if _, err := r.victim(ctx); err != nil {
			return err
		}
	}
	return nil
}
