package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"moderator/internal/sandbox"
)

// watcher samples the resident memory of the moderator and its decode workers.
type watcher struct {
	quit chan struct{}
	done chan int // the peak of the sum, in MB
}

func watch(pid int) *watcher {
	w := &watcher{make(chan struct{}), make(chan int)}
	go func() {
		highest := 0
		ticks := time.NewTicker(50 * time.Millisecond)
		defer ticks.Stop()
		for {
			highest = max(highest, residentMB(pid))
			select {
			case <-ticks.C:
			case <-w.quit:
				w.done <- highest
				return
			}
		}
	}()
	return w
}

func (w *watcher) stop() int {
	close(w.quit)
	return <-w.done
}

// residentMB sums VmRSS. Memory that a worker shares with the moderator counts twice. Without /proc the sum is 0.
func residentMB(pid int) int {
	kB := residentKB(pid)
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid)) // the pattern is well-formed
	for _, path := range lists {
		list, err := os.ReadFile(path)
		if err != nil {
			continue // the thread has ended
		}
		for _, field := range bytes.Fields(list) {
			child, err := strconv.Atoi(string(field))
			if err == nil && isWorker(child) {
				kB += residentKB(child)
			}
		}
	}
	return kB * 1024 / 1_000_000
}

// isWorker excludes Postgres.
func isWorker(pid int) bool {
	command, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return err == nil && bytes.Contains(command, []byte(sandbox.Argument))
}

// residentKB returns 0 for a process that has ended.
func residentKB(pid int) int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(status), "VmRSS:")
	fields := strings.Fields(after)
	if len(fields) == 0 {
		return 0
	}
	kB, err := strconv.Atoi(fields[0])
	if err != nil {
		return 0
	}
	return kB
}
