package main

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"moderator/internal/child"
)

// startChild starts a command whose output is added to the log. The command ends with this process at the latest.
func startChild(log string, args ...string) (*child.Process, error) {
	out, err := os.OpenFile(log, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = out, out
	p, err := child.Start(cmd, syscall.SIGKILL)
	if err != nil {
		return nil, fmt.Errorf("%w: run `make build`", err)
	}
	return p, nil
}

// stop sends SIGTERM, waits, and kills the process if it has not ended by then. It reports whether the process ended in time.
func stop(p *child.Process, wait time.Duration) bool {
	p.Signal(syscall.SIGTERM)
	select {
	case <-p.Done():
		return true
	case <-time.After(wait):
		p.Kill()
		return false
	}
}
