package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// moderator is the running process, on the embedded default.
type moderator struct {
	bin, dir   string
	process    *exec.Cmd
	exited     chan error
	natsURL    string
	consoleURL string // with its token
}

func startModerator(ctx context.Context, bin, fetchHost string) (*moderator, error) {
	dir, err := os.MkdirTemp("", "moderator-e2e-")
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
		"--nats-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0", "--console-listen", "127.0.0.1:0",
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
			NATSURL    string `json:"nats_url"`
			HTTPURL    string `json:"http_url"`
			ConsoleURL string `json:"console_url"`
		}
		data, err := os.ReadFile(filepath.Join(m.dataDir(), "moderator.json"))
		if err != nil || json.Unmarshal(data, &state) != nil {
			continue
		}
		m.natsURL, m.consoleURL = state.NATSURL, state.ConsoleURL
		if ready, err := http.Get(state.HTTPURL + "/readyz"); err == nil {
			ready.Body.Close()
			if ready.StatusCode == http.StatusOK {
				return nil
			}
		}
	}
}

// flagctl runs flagctl as a person would.
func (m *moderator) flagctl(ctx context.Context, args ...string) error {
	command := exec.CommandContext(ctx, filepath.Join(m.bin, "flagctl"), append([]string{"--data-dir", m.dataDir(), "--as", "e2e"}, args...)...)
	if said, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("flagctl %v: %w\n%s", args, err, said)
	}
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
