package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// moderator is the running process, on the embedded default in a folder of its own.
type moderator struct {
	dir     string
	process *exec.Cmd
	gone    chan struct{} // closed when the process has ended
	err     error         // how; to be read after gone
	natsURL string
	httpURL string
}

// startModerator starts the built command and waits until it is ready.
func startModerator(ctx context.Context, bin string) (*moderator, error) {
	dir, err := os.MkdirTemp("", "moderator-hostile-")
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // Postgres may run as a user of its own
		return nil, err
	}
	m := &moderator{dir: dir, gone: make(chan struct{})}
	log, err := os.Create(m.logPath())
	if err != nil {
		return nil, err
	}
	defer log.Close()
	m.process = exec.Command(filepath.Join(bin, "moderator"), "run", "--data-dir", filepath.Join(dir, "data"),
		"--nats-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0")
	m.process.Stdout, m.process.Stderr = log, log
	if err := m.process.Start(); err != nil {
		return nil, fmt.Errorf("start moderator: %w: run `make build`", err)
	}
	go func() {
		m.err = m.process.Wait()
		close(m.gone)
	}()
	if err := m.waitReady(ctx); err != nil {
		return nil, errors.Join(err, m.stop())
	}
	return m, nil
}

func (m *moderator) logPath() string { return filepath.Join(m.dir, "moderator.log") }

// waitReady polls what a running moderator writes into its data folder, and then its readiness.
func (m *moderator) waitReady(ctx context.Context) error {
	for {
		select {
		case <-m.gone:
			return m.ended()
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
		var state struct {
			NATSURL string `json:"nats_url"`
			HTTPURL string `json:"http_url"`
		}
		data, err := os.ReadFile(filepath.Join(m.dir, "data", "moderator.json"))
		if err != nil || json.Unmarshal(data, &state) != nil {
			continue
		}
		m.natsURL, m.httpURL = state.NATSURL, state.HTTPURL
		if ready, err := http.Get(m.httpURL + "/readyz"); err == nil {
			ready.Body.Close()
			if ready.StatusCode == http.StatusOK {
				return nil
			}
		}
	}
}

// ended says how the process ended, with its last words; nil while it runs.
func (m *moderator) ended() error {
	select {
	case <-m.gone:
		return fmt.Errorf("moderator ended: %v\n%s", m.err, m.lastLines())
	default:
		return nil
	}
}

// crashes is 1 when the process ended by itself.
func (m *moderator) crashes() int {
	if m.ended() != nil {
		return 1
	}
	return 0
}

// workerDeaths reads the metric.
func (m *moderator) workerDeaths(ctx context.Context) (int, error) {
	const metric = "moderator_decode_worker_deaths_total "
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, m.httpURL+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), metric); ok {
			return strconv.Atoi(value)
		}
	}
	return 0, fmt.Errorf("%s/metrics has no %s", m.httpURL, metric)
}

// stop drains the moderator and removes its folder, unless it crashed: then its log is kept.
func (m *moderator) stop() error {
	if err := m.ended(); err != nil {
		return fmt.Errorf("%w\nits log is %s", err, m.logPath())
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

func (m *moderator) lastLines() []byte {
	data, err := os.ReadFile(m.logPath())
	if err != nil {
		return nil
	}
	const most = 3000
	return data[max(0, len(data)-most):]
}
