package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"moderator/internal/endpoint"
)

// moderator is a running moderator.
type moderator struct {
	cmd     *exec.Cmd
	dataDir string
	log     string
}

// readyTime bounds the start: a million flags are read.
const readyTime = 10 * time.Minute

// startModerator registers the model, starts moderator with its defaults and further flags on the servers, and waits until
// it is ready.
func (b *bench) startModerator(ctx context.Context, m model, flags ...string) (*moderator, error) {
	dir := filepath.Join(b.dir, "data-"+m.name)
	servers := []string{"--nats-url", b.servers.natsURL, "--database-url", b.servers.databaseURL}
	migrate := exec.CommandContext(ctx, filepath.Join(b.Bin, "moderator"), append([]string{"migrate", "--model", m.dir}, servers[2:]...)...)
	if said, err := migrate.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("moderator migrate: %w\n%s", err, said)
	}
	p := &moderator{dataDir: dir, log: filepath.Join(b.dir, m.name+".log")}
	log, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p.cmd = exec.Command(filepath.Join(b.Bin, "moderator"),
		append([]string{"run", "--data-dir", dir, "--model", m.dir, "--http-listen", "127.0.0.1:0"}, append(servers, flags...)...)...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start moderator: %w: run `make build`", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, readyTime, fmt.Errorf("moderator is not ready: its log is %s", p.log))
	defer cancel()
	if err := poll(ctx, 50*time.Millisecond, p.ready); err != nil {
		p.stop()
		return nil, fmt.Errorf("%w\n%s", err, lastLines(p.log))
	}
	return p, nil
}

// ready reports whether moderator is ready, at the address in its data folder.
func (p *moderator) ready() (bool, error) {
	if _, err := usageOf(p.cmd.Process.Pid); err != nil {
		return false, err
	}
	state, err := endpoint.ReadState(p.dataDir)
	if err != nil {
		return false, nil // not yet
	}
	answer, err := http.Get(state.HTTPURL + "/readyz")
	if err != nil {
		return false, nil
	}
	answer.Body.Close()
	return answer.StatusCode == http.StatusOK, nil
}

func (p *moderator) pid() int { return p.cmd.Process.Pid }

func (p *moderator) stop() { _ = end(p.cmd) } // the measurements are done

func lastLines(path string) []byte {
	data, _ := os.ReadFile(path)
	const most = 3000
	return data[max(0, len(data)-most):]
}
