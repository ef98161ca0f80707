package devstack

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

// process is a running server.
type process struct {
	pid      int
	stopping atomic.Bool
	done     chan struct{}
	err      error // why it ended; to be read after done
}

// startProcess starts the server with its output in logFile.
//
// The kernel ties Pdeathsig to the *thread* that forked and not to the process. So the thread is held, by a goroutine
// that lives as long as the server; else the Go runtime might end it and with it the server.
func startProcess(as runAs, logFile string, args []string) (*process, error) {
	out, err := os.OpenFile(logFile, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = out.Close() }()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Env = cleanEnv()
	cmd.SysProcAttr = sysProcAttr(as.credential)

	p := &process{done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", args[0], err)
	}
	p.pid = cmd.Process.Pid
	return p, nil
}

// cleanEnv is the server's environment: PGPORT, PGDATA, LC_* and the like of the owner's would change it.
func cleanEnv() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
}

func (p *process) stop(ctx context.Context) error {
	p.stopping.Store(true)
	p.signal(syscall.SIGINT)
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
	}
	p.signal(syscall.SIGQUIT)
	select {
	case <-p.done:
	case <-time.After(5 * time.Second):
		p.kill()
	}
	return fmt.Errorf("PostgreSQL did not stop in time and was stopped at once: %w", context.Cause(ctx))
}

func (p *process) kill() {
	p.stopping.Store(true)
	p.signal(syscall.SIGKILL)
	<-p.done
}

// signal sends sig unless the process has ended already. Wait may reap it in between; its pid is not given out again
// that fast.
func (p *process) signal(sig syscall.Signal) {
	select {
	case <-p.done:
	default:
		_ = syscall.Kill(p.pid, sig)
	}
}
