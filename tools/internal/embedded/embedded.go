// Package embedded runs the built moderator with its embedded servers, in a temporary folder, for tools.
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

// Moderator is a running moderator.
type Moderator struct {
	State endpoint.State // its addresses

	bin, dir string
	process  *child.Process
}

// Start starts the moderator of the folder bin on free ports, with further flags of `moderator run`, and waits until it is
// ready. Its log goes to a file. It ends with this process at the latest.
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

// Dir is a folder for the tool's own files. Stop removes it.
func (m *Moderator) Dir() string { return m.dir }

// DataDir is moderator's data folder.
func (m *Moderator) DataDir() string { return filepath.Join(m.dir, "data") }

func (m *Moderator) logPath() string { return filepath.Join(m.dir, "moderator.log") }

// waitReady polls for the addresses in the data folder, and then for readiness.
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

// Ended returns nil while the moderator runs, and else how it ended, with the end of its log.
func (m *Moderator) Ended() error {
	if !m.process.Ended() {
		return nil
	}
	return fmt.Errorf("moderator ended: %v\n%s\nits log is %s", m.process.Err(), m.lastLines(), m.logPath())
}

// Flagctl runs flagctl on the moderator and returns its notes on stderr.
func (m *Moderator) Flagctl(ctx context.Context, args ...string) (notes string, err error) {
	command := exec.CommandContext(ctx, filepath.Join(m.bin, "flagctl"), append([]string{"--data-dir", m.DataDir()}, args...)...)
	var text bytes.Buffer
	command.Stderr = &text
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("flagctl %v: %w\n%.3000s", args, err, text.String())
	}
	return text.String(), nil
}

// Stop stops the moderator and removes its folder. If the moderator failed, its log is kept.
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
		return fmt.Errorf("moderator failed: %w\n%s", err, m.lastLines())
	}
	return os.RemoveAll(m.dir)
}

func (m *Moderator) lastLines() []byte {
	data, _ := os.ReadFile(m.logPath())
	const most = 3000
	return data[max(0, len(data)-most):]
}
