// Package embedded starts the built moderator on its embedded default, in a folder of its own, for the tools that measure
// and show it.
package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"moderator/internal/child"
	"moderator/internal/endpoint"
)

// Moderator is the running process.
type Moderator struct {
	State endpoint.State // where it listens

	bin, dir string
	process  *child.Process
}

// Start starts the command moderator of the folder bin, on free ports and with further flags of `moderator run`, and waits
// until it is ready. Its log goes to a file.
func Start(ctx context.Context, bin string, flags ...string) (*Moderator, error) {
	dir, err := os.MkdirTemp("", "moderator-tool-")
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // Postgres may run as a user of its own
		return nil, err
	}
	m := &Moderator{bin: bin, dir: dir}
	log, err := os.Create(m.logPath())
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(filepath.Join(bin, "moderator"), append([]string{
		"run", "--data-dir", m.DataDir(), "--nats-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0", "--console-listen", "127.0.0.1:0",
	}, flags...)...)
	cmd.Stdout, cmd.Stderr = log, log
	if m.process, err = child.Start(cmd, syscall.SIGTERM); err != nil {
		return nil, fmt.Errorf("%w: run `make build`", err)
	}
	if err := m.waitReady(ctx); err != nil {
		return nil, errors.Join(err, m.Stop())
	}
	return m, nil
}

// Dir is a folder for the tool's own files; Stop removes it.
func (m *Moderator) Dir() string { return m.dir }

// DataDir is moderator's.
func (m *Moderator) DataDir() string { return filepath.Join(m.dir, "data") }

func (m *Moderator) logPath() string { return filepath.Join(m.dir, "moderator.log") }

// waitReady polls what a running moderator writes into its data folder, and then its readiness.
func (m *Moderator) waitReady(ctx context.Context) error {
	for {
		select {
		case <-m.process.Done():
			return m.Ended()
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
		var err error
		if m.State, err = endpoint.ReadState(m.DataDir()); err != nil {
			continue
		}
		if ready, err := http.Get(m.State.HTTPURL + "/readyz"); err == nil {
			ready.Body.Close()
			if ready.StatusCode == http.StatusOK {
				return nil
			}
		}
	}
}

// Ended says how the process ended, with its last words; nil while it runs.
func (m *Moderator) Ended() error {
	if !m.process.Ended() {
		return nil
	}
	return fmt.Errorf("moderator ended: %v\n%s\nits log is %s", m.process.Err(), m.lastLines(), m.logPath())
}

// Flagctl runs flagctl on the moderator and returns what it says to people.
func (m *Moderator) Flagctl(ctx context.Context, args ...string) (said string, err error) {
	command := exec.CommandContext(ctx, filepath.Join(m.bin, "flagctl"), append([]string{"--data-dir", m.DataDir()}, args...)...)
	var text bytes.Buffer
	command.Stderr = &text
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("flagctl %v: %w\n%.3000s", args, err, text.String())
	}
	return text.String(), nil
}

// Stop drains the moderator and removes its folder, unless it ended badly: then its log is kept.
func (m *Moderator) Stop() error {
	if err := m.Ended(); err != nil {
		return err
	}
	m.process.Signal(syscall.SIGTERM)
	select {
	case <-m.process.Done():
	case <-time.After(45 * time.Second):
		m.process.Kill()
		return fmt.Errorf("moderator did not stop: its log is %s", m.logPath())
	}
	if err := m.process.Err(); err != nil {
		return fmt.Errorf("moderator ended badly: %w\n%s", err, m.lastLines())
	}
	return os.RemoveAll(m.dir)
}

func (m *Moderator) lastLines() []byte {
	data, _ := os.ReadFile(m.logPath())
	const most = 3000
	return data[max(0, len(data)-most):]
}
