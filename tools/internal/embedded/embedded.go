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

	"moderator/internal/endpoint"
)

// Moderator is the running process.
type Moderator struct {
	State endpoint.State // where it listens

	bin, dir string
	process  *exec.Cmd
	gone     chan struct{} // closed when the process has ended
	err      error         // how; to be read after gone
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
	m := &Moderator{bin: bin, dir: dir, gone: make(chan struct{})}
	log, err := os.Create(m.logPath())
	if err != nil {
		return nil, err
	}
	defer log.Close()
	m.process = exec.Command(filepath.Join(bin, "moderator"), append([]string{
		"run", "--data-dir", m.DataDir(), "--nats-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0", "--console-listen", "127.0.0.1:0",
	}, flags...)...)
	m.process.Stdout, m.process.Stderr = log, log
	if err := m.process.Start(); err != nil {
		return nil, fmt.Errorf("start moderator: %w: run `make build`", err)
	}
	go func() {
		m.err = m.process.Wait()
		close(m.gone)
	}()
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
		case <-m.gone:
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
	select {
	case <-m.gone:
		return fmt.Errorf("moderator ended: %v\n%s\nits log is %s", m.err, m.lastLines(), m.logPath())
	default:
		return nil
	}
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
	_ = m.process.Process.Signal(syscall.SIGTERM)
	select {
	case <-m.gone:
	case <-time.After(45 * time.Second):
		_ = m.process.Process.Kill()
		return fmt.Errorf("moderator did not stop: its log is %s", m.logPath())
	}
	if m.err != nil {
		return fmt.Errorf("moderator ended badly: %w\n%s", m.err, m.lastLines())
	}
	return os.RemoveAll(m.dir)
}

func (m *Moderator) lastLines() []byte {
	data, _ := os.ReadFile(m.logPath())
	const most = 3000
	return data[max(0, len(data)-most):]
}
