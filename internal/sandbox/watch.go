package sandbox

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// checks is the number of checks of a worker within Options.Timeout.
const checks = 8

// watch observes a worker that decodes one picture. It ends the wait for the answer if the worker has used up the picture's
// CPU time, if it hangs, or if ctx is done. A worker that waits for a CPU does not hang, however long it waits.
type watch struct {
	process *process
	began   time.Duration // CPU time of the worker before the picture

	mu      sync.Mutex
	ended   bool
	last    time.Duration // CPU time of the worker at the last check
	idle    int           // consecutive checks at which the worker did not work
	stopped bool          // by a signal, at one of them
	verdict error         // why the wait was ended
	timer   *time.Timer
	forget  func() bool
}

// stoppedError means that a signal stopped the worker, which is not the picture's fault.
type stoppedError struct{ after time.Duration }

func (e *stoppedError) Error() string { return fmt.Sprintf("stopped by a signal for %v", e.after) }

// watch starts to observe the worker. The caller must call end after the answer.
func (p *process) watch(ctx context.Context) *watch {
	_ = p.answers.SetReadDeadline(time.Time{})
	w := &watch{process: p, began: cpuTime(p.cmd.Process.Pid)}
	w.last = w.began
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(w.interval(), w.check)
	w.forget = context.AfterFunc(ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.endWait(ctx.Err())
	})
	return w
}

func (w *watch) interval() time.Duration { return w.process.options.Timeout / checks }

// check counts checks instead of time, so that a machine that was suspended does not make a worker hang.
func (w *watch) check() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return
	}
	o, pid := w.process.options, w.process.cmd.Process.Pid
	used := cpuTime(pid)
	working, stopped := threadStates(pid)
	if working || used-w.last > w.interval()/100 {
		w.idle, w.stopped = 0, false
	} else {
		w.idle++
		w.stopped = w.stopped || stopped
	}
	w.last = used
	switch {
	case used-w.began > o.CPUTime+2*time.Second: // the worker's own limit, in whole seconds, did not end it
		w.endWait(fmt.Errorf("%v of CPU time used for one picture, the limit is %v", used-w.began, o.CPUTime))
	case w.idle == checks && w.stopped:
		w.endWait(&stoppedError{o.Timeout})
	case w.idle == checks:
		w.endWait(fmt.Errorf("no answer, and no use of the CPU within %v", o.Timeout))
	default:
		w.timer.Reset(w.interval())
	}
}

// endWait makes the wait for the answer fail. The caller holds w.mu.
func (w *watch) endWait(why error) {
	if !w.ended && w.verdict == nil {
		w.verdict = why
		_ = w.process.answers.SetReadDeadline(time.Unix(1, 0))
	}
}

// end stops the observation. It returns why it ended the wait, or nil.
func (w *watch) end() error {
	w.forget()
	w.timer.Stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	return w.verdict
}
