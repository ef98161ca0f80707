package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"moderator/internal/child"
)

const (
	ackWait  = 5 * time.Second
	stopTime = 30 * time.Second // longer than the drain time
	backOff  = 300 * time.Millisecond

	// The defaults are 10 attempts and a first back-off of 1 s: four minutes in all. Here the back-off is a fiftieth, and
	// longOutage a fiftieth of twelve minutes: if outages counted as attempts, it would exhaust them.
	attempts     = 10
	retryBackoff = 20 * time.Millisecond
	longOutage   = 15 * time.Second
)

// replica is a moderator that is restarted whenever it ends, as by an orchestrator.
type replica struct {
	name string
	dir  string // its data folder, where it writes its state when it is ready
	log  string
	args []string
	out  *progress

	mu       sync.Mutex
	process  *child.Process
	ready    bool
	expected bool          // its end is part of the schedule
	excused  bool          // it may end, as its durable was deleted
	down     time.Duration // until its restart
}

func newReplica(dir, bin, natsURL, databaseURL string, number int, out *progress) *replica {
	name := fmt.Sprintf("moderator-%d", number)
	data := filepath.Join(dir, name)
	return &replica{
		name: name, dir: data, log: data + ".log", out: out,
		args: []string{
			filepath.Join(bin, "moderator"), "run", "--nats-url", natsURL, "--database-url", databaseURL,
			"--data-dir", data, "--http-listen", "127.0.0.1:0", "--log-format", "json",
			// Uploads in flight of a killed moderator are redelivered soon.
			"--ack-wait", ackWait.String(), "--batch-budget", (ackWait - time.Second).String(), "--batch-size", "16",
			"--attempts", strconv.Itoa(attempts), "--retry-backoff", retryBackoff.String(), "--drain-time", "5s",
		},
	}
}

// keep runs the moderator until ctx is done, then stops it.
func (r *replica) keep(ctx context.Context) error {
	for ctx.Err() == nil {
		_ = os.Remove(r.stateFile()) // a killed moderator leaves it
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

func (r *replica) set(process *child.Process) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.process, r.ready, r.expected, r.excused = process, false, false, false
}

// watch records when the moderator is ready, and returns when it has ended. When ctx is done, it stops the moderator.
func (r *replica) watch(ctx context.Context, process *child.Process) {
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	for ready := false; ; {
		select {
		case <-process.Done():
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

// ended returns how long to wait before the restart. It is a fault if a ready moderator ends unexpectedly; one that finds its
// servers down at its start may give up.
func (r *replica) ended(process *child.Process) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.expected {
		return r.down
	}
	if r.ready && !r.excused {
		r.out.bad("%s ended unexpectedly: %v: its log is %s", r.name, process.Err(), r.log)
	}
	return backOff
}

// terminate stops the moderator by SIGTERM, which must succeed.
func (r *replica) terminate(process *child.Process) {
	r.mu.Lock()
	ready := r.ready && !r.excused
	r.expected = true
	r.mu.Unlock()
	if !stop(process, stopTime) {
		r.out.bad("%s did not stop within %v of SIGTERM: its log is %s", r.name, stopTime, r.log)
	} else if ready && process.Err() != nil {
		r.out.bad("%s failed after SIGTERM: %v: its log is %s", r.name, process.Err(), r.log)
	}
}

// victim waits until the moderator is ready, and returns its process.
func (r *replica) victim(ctx context.Context) (*child.Process, error) {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for {
		r.mu.Lock()
		process, ready := r.process, r.ready && !r.expected && !r.process.Ended()
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

// excuse allows an end of the moderator, before its restart.
func (r *replica) excuse() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.excused = true
}

// expect announces an end of the moderator, whose restart comes after down.
func (r *replica) expect(down time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.expected, r.down = true, down
}
