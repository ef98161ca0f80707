package devstack

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"
	"time"

	"moderator/internal/child"
)

// process is a running server.
type process struct {
	*child.Process
	stopping atomic.Bool // stop or kill was called
}

// startProcess starts the server with its output in logFile. The server shuts down, by SIGINT, when this process ends.
func startProcess(as runAs, logFile string, args []string) (*process, error) {
	out, err := os.OpenFile(logFile, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = out.Close() }()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Env = cleanEnv()
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as.credential}
	p, err := child.Start(cmd, syscall.SIGINT)
	if err != nil {
		return nil, err
	}
	return &process{Process: p}, nil
}

// cleanEnv is the server's environment, without the owner's PGPORT, PGDATA, LC_* and the like.
func cleanEnv() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
}

func (p *process) stop(ctx context.Context) error {
	p.stopping.Store(true)
	p.Signal(syscall.SIGINT)
	select {
	case <-p.Done():
		return nil
	case <-ctx.Done():
	}
	p.Signal(syscall.SIGQUIT)
	select {
	case <-p.Done():
	case <-time.After(5 * time.Second):
		p.kill()
	}
	return fmt.Errorf("PostgreSQL did not stop in time, and was stopped without a checkpoint: %w", context.Cause(ctx))
}

func (p *process) kill() {
	p.stopping.Store(true)
	p.Kill()
}
