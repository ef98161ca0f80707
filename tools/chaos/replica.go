package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

const (
	ackWait  = 5 * time.Second
	stopTime = 30 * time.Second // the drain time, and what stopping takes besides
	backOff  = 300 * time.Millisecond

	// The defaults are 10 attempts and a first back-off of 1 s, four minutes in all. A fiftieth of that, and an outage of a
	// fiftieth of twelve minutes, would end uploads' attempts if outages counted.
	attempts     = 10
	retryBackoff = 20 * time.Millisecond
	longOutage   = 15 * time.Second
)

// replica is a moderator that is started again whenever it ends, as an orchestrator does it.
type replica struct {
	name string
	dir  string // its data folder, which tells that it is ready
	log  string
	args []string
	out  *progress

	mu       sync.Mutex
	process  *child
	ready    bool
	expected bool          // its end was asked for
	excused  bool          // it may end: its durable was deleted
	down     time.Duration // until it is started again
}

func newReplica(dir, bin, natsURL, databaseURL string, number int, out *progress) *replica {
	name := fmt.Sprintf("moderator-%d", number)
	data := filepath.Join(dir, name)
	return &replica{
		name: name, dir: data, log: data + ".log", out: out,
		args: []string{
			filepath.Join(bin, "moderator"), "run", "--nats-url", natsURL, "--database-url", databaseURL,
			"--data-dir", data, "--http-listen", "127.0.0.1:0", "--log-format", "json",
			// Uploads in the hands of the killed come again soon.
			"--ack-wait", ackWait.String(), "--batch-budget", (ackWait - time.Second).String(), "--batch-size", "16",
			"--attempts", strconv.Itoa(attempts), "--retry-backoff", retryBackoff.String(), "--drain-time", "5s",
		},
	}
}

// keep runs the moderator until ctx is done, then stops it.
func (r *replica) keep(ctx context.Context) error {
	for ctx.Err() == nil {
		_ = os.Remove(r.stateFile()) // a killed one leaves it
		process, err := startChild(r.log, r.args...)
		if err != nil {
			return err
		}
		r.set(process)
		r.watch(ctx, process)
		wait := r.ended(process)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
	return nil
}

func (r *replica) stateFile() string { return filepath.Join(r.dir, "moderator.json") }

func (r *replica) set(process *child) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.process, r.ready, r.expected, r.excused = process, false, false, false
}

// watch notices when the moderator is ready, and returns when it has ended; it ends it when ctx is done.
func (r *replica) watch(ctx context.Context, process *child) {
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	for ready := false; ; {
		select {
		case <-process.done:
			return
		case <-ctx.Done():
			r.terminate(process)
			return
		case <-poll.C:
		}
		if _, err := os.Stat(r.stateFile()); err == nil && !ready {
			ready = true
			r.mu.Lock()
			r.ready = true
			r.mu.Unlock()
		}
	}
}

// ended says how long to wait before the next start. One that was ready ends only when it is told to; one that finds
// its servers down when it starts may give up.
func (r *replica) ended(process *child) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.expected {
		return r.down
	}
	if r.ready && !r.excused {
		r.out.bad("%s ended though nothing asked it to: %v: its log is %s", r.name, process.err, r.log)
	}
	return backOff
}

// terminate stops the moderator in good order, which must succeed.
func (r *replica) terminate(process *child) {
	r.mu.Lock()
	ready := r.ready && !r.excused
	r.expected = true
	r.mu.Unlock()
	if !process.stop(stopTime) {
		r.out.bad("%s did not stop within %v of SIGTERM: its log is %s", r.name, stopTime, r.log)
	} else if ready && process.err != nil {
		r.out.bad("%s was told to stop and failed: %v: its log is %s", r.name, process.err, r.log)
	}
}

// victim waits until the moderator is ready.
func (r *replica) victim(ctx context.Context) (*child, error) {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for {
		r.mu.Lock()
		process, ready := r.process, r.ready && !r.expected && !r.process.ended()
		r.mu.Unlock()
		if ready {
			return process, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%s is not ready: %w: its log is %s", r.name, ctx.Err(), r.log)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// excuse announces an end that may come, and after which the moderator is started again.
func (r *replica) excuse() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.excused = true
}

// expect announces an end that is asked for; the moderator is started again after down.
func (r *replica) expect(down time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.expected, r.down = true, down
}
