package sandbox

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// looks is how often a worker is looked at within Options.Timeout.
const looks = 8

// watch observes a worker that decodes one picture. It ends the wait for the answer when the worker has used up the
// picture's CPU time, when it hangs, or when ctx is done. A worker that waits for a CPU does not hang, however long it waits.
type watch struct {
	process *process
	began   time.Duration // CPU time of the worker before the picture

	mu      sync.Mutex
	ended   bool
	last    time.Duration // CPU time of the worker at the last look
	idle    int           // looks in a row at which the worker did not work
	stopped bool          // at one of them by a signal
	verdict error         // why the wait was ended
	timer   *time.Timer
	forget  func() bool
}

// stoppedError is the end of a worker that somebody stopped: no fault of the picture.
type stoppedError struct{ after time.Duration }

func (e *stoppedError) Error() string { return fmt.Sprintf("stopped by a signal for %v", e.after) }

// watch begins to observe the worker. Its end must be called once the answer is there.
func (p *process) watch(ctx context.Context) *watch {
	_ = p.answers.SetReadDeadline(time.Time{})
	w := &watch{process: p, began: cpuTime(p.cmd.Process.Pid)}
	w.last = w.began
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(w.interval(), w.look)
	w.forget = context.AfterFunc(ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.endWait(ctx.Err())
	})
	return w
}

func (w *watch) interval() time.Duration { return w.process.options.Timeout / looks }

// look counts looks and not time: a machine that sleeps does not make a worker hang.
func (w *watch) look() {
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
	case w.idle == looks && w.stopped:
		w.endWait(&stoppedError{o.Timeout})
	case w.idle == looks:
		w.endWait(fmt.Errorf("no answer, and no use of the CPU within %v", o.Timeout))
	default:
		w.timer.Reset(w.interval())
	}
}

// endWait lets the wait for the answer fail. w.mu is held.
func (w *watch) endWait(why error) {
	if !w.ended && w.verdict == nil {
		w.verdict = why
		_ = w.process.answers.SetReadDeadline(time.Unix(1, 0))
	}
}

// end stops observing, and returns why the wait was ended; nil if it was not.
func (w *watch) end() error {
	w.forget()
	w.timer.Stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	return w.verdict
}
