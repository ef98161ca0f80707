package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// child is a process that ends with this one at the latest.
type child struct {
	process *os.Process
	done    chan struct{}
	err     error // how it ended; to be read after done
}

// startChild starts a command whose output is added to the log. The kernel ties the child's life to the thread that
// started it, so that thread is held for as long.
func startChild(log string, args ...string) (*child, error) {
	out, err := os.OpenFile(log, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = childAttr()
	c := &child{done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			c.err = cmd.Wait()
			close(c.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w: run `make build`", args[0], err)
	}
	c.process = cmd.Process
	return c, nil
}

func (c *child) signal(sig syscall.Signal) { _ = c.process.Signal(sig) } // it may have ended: then nothing is to be done

func (c *child) ended() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// stop asks the child to end, waits as long as given, and kills it then; it says whether the child ended in time.
func (c *child) stop(wait time.Duration) bool {
	c.signal(syscall.SIGTERM)
	select {
	case <-c.done:
		return true
	case <-time.After(wait):
		c.kill()
		return false
	}
}

func (c *child) kill() {
	c.signal(syscall.SIGKILL)
	<-c.done
}
