package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// moderator is the running process, on the embedded default.
type moderator struct {
	bin, dir string
	process  *exec.Cmd
	exited   chan error
	natsURL  string
}

// startModerator starts the built command in a temporary folder and waits until it is ready.
func startModerator(ctx context.Context, bin, fetchHost string) (*moderator, error) {
	dir, err := os.MkdirTemp("", "moderator-demo-")
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // Postgres may run as a user of its own
		return nil, err
	}
	m := &moderator{bin: bin, dir: dir, exited: make(chan error, 1)}
	log, err := os.Create(m.logPath())
	if err != nil {
		return nil, err
	}
	defer log.Close()
	m.process = exec.Command(filepath.Join(bin, "moderator"), "run", "--data-dir", m.dataDir(),
		"--nats-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0",
		"--fetch-host", fetchHost, "--fetch-allow-cidr", "127.0.0.1/32")
	m.process.Stdout, m.process.Stderr = log, log
	if err := m.process.Start(); err != nil {
		return nil, fmt.Errorf("start moderator: %w: run `make build`", err)
	}
	go func() { m.exited <- m.process.Wait() }()
	if err := m.waitReady(ctx); err != nil {
		return nil, errors.Join(err, m.stop())
	}
	return m, nil
}

func (m *moderator) dataDir() string { return filepath.Join(m.dir, "data") }

func (m *moderator) logPath() string { return filepath.Join(m.dir, "moderator.log") }

// waitReady polls what a running moderator writes into its data folder, and then its readiness.
func (m *moderator) waitReady(ctx context.Context) error {
	for {
		select {
		case err := <-m.exited:
			m.exited <- err
			return fmt.Errorf("moderator ended at its start: %w\n%s", err, m.lastLines())
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
		var state struct {
			NATSURL string `json:"nats_url"`
			HTTPURL string `json:"http_url"`
		}
		data, err := os.ReadFile(filepath.Join(m.dataDir(), "moderator.json"))
		if err != nil || json.Unmarshal(data, &state) != nil {
			continue
		}
		m.natsURL = state.NATSURL
		if ready, err := http.Get(state.HTTPURL + "/readyz"); err == nil {
			ready.Body.Close()
			if ready.StatusCode == http.StatusOK {
				return nil
			}
		}
	}
}

// flag runs flagctl as a moderator would.
func (m *moderator) flag(ctx context.Context, originals []original, stdout io.Writer) error {
	dir := filepath.Join(m.dir, "flagged")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	for _, o := range originals {
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(o.name)), o.data, 0o644); err != nil {
			return err
		}
	}
	var said bytes.Buffer
	add := exec.CommandContext(ctx, filepath.Join(m.bin, "flagctl"), "--data-dir", m.dataDir(), "--as", "demo", "add", "--note", "demo", dir)
	add.Stdout, add.Stderr = io.Discard, &said
	if err := add.Run(); err != nil {
		return fmt.Errorf("flagctl add: %w\n%s", err, said.String())
	}
	fmt.Fprintf(stdout, "flagctl add: %s", said.String())
	return nil
}

// stop drains the moderator and removes its folder.
func (m *moderator) stop() error {
	_ = m.process.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-m.exited:
		if err != nil {
			return fmt.Errorf("moderator ended badly: %w\n%s", err, m.lastLines())
		}
	case <-time.After(45 * time.Second):
		_ = m.process.Process.Kill()
		return fmt.Errorf("moderator did not stop: its log is %s", m.logPath())
	}
	return os.RemoveAll(m.dir)
}

func (m *moderator) lastLines() []byte {
	data, _ := os.ReadFile(m.logPath())
	const most = 3000
	return data[max(0, len(data)-most):]
}
