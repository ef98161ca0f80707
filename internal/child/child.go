// Package child runs programs that end with this process at the latest.
package child

import (
	"fmt"
	"os/exec"
	"runtime"
	"syscall"
)

// Process is a running program. Its methods may be called from any goroutine.
type Process struct {
	PID  int
	done chan struct{}
	err  error
}

// Start starts cmd in a process group of its own, which keeps the terminal's Ctrl-C away from it. On Linux the kernel sends
// it the signal atExit when this process ends, however it ends.
//
// The kernel ties that signal to the thread that started the program. So a goroutine holds the thread for as long as the
// program runs; otherwise the Go runtime might end the thread, and with it the program.
func Start(cmd *exec.Cmd, atExit syscall.Signal) (*Process, error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	endWithParent(cmd.SysProcAttr, atExit)
	p := &Process{done: make(chan struct{})}
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
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	p.PID = cmd.Process.Pid
	return p, nil
}

// Done is closed when the program has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Ended reports whether the program has ended.
func (p *Process) Ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// Err waits for the end and returns what exec.Cmd's Wait returned.
func (p *Process) Err() error {
	<-p.done
	return p.err
}

// Signal sends sig, unless the program has ended. The program may be reaped in between; the kernel does not give its pid
// to another one that fast.
func (p *Process) Signal(sig syscall.Signal) {
	if !p.Ended() {
		_ = syscall.Kill(p.PID, sig)
	}
}

// Kill kills the program and waits for its end.
func (p *Process) Kill() {
	p.Signal(syscall.SIGKILL)
	<-p.done
}
