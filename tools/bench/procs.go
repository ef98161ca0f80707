package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// usage is the resources that a process and its descendants have used.
type usage struct {
	cpu time.Duration // user and system, with ended children
	own time.Duration // of this, the process's own
	rss int64         // bytes; memory that two processes share counts twice
}

const ticksPerSecond = 100 // USER_HZ, on every platform of Go

// usageOf sums up the tree of processes below pid.
func usageOf(pid int) (usage, error) {
	all, err := processes()
	if err != nil {
		return usage{}, err
	}
	return all.below(pid)
}

// snapshot is the processes of the machine, by their ids.
type snapshot map[int]process

type process struct {
	parent int
	usage  usage
}

// processes takes a snapshot, which costs milliseconds: where several programs are measured they share one.
func processes() (snapshot, error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	all := snapshot{}
	for _, path := range stats {
		data, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		id, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		_, after, _ := strings.Cut(string(data), ") ") // the name may hold spaces
		fields := strings.Fields(after)
		number := func(i int) int64 { n, _ := strconv.ParseInt(fields[i], 10, 64); return n }
		// Of proc(5), counted from the state on: ppid 1, utime 11, stime 12, cutime 13, cstime 14, rss 21.
		took := func(ticks int64) time.Duration { return time.Duration(ticks) * time.Second / ticksPerSecond }
		own := number(11) + number(12)
		all[id] = process{int(number(1)), usage{took(own + number(13) + number(14)), took(own), number(21) * int64(os.Getpagesize())}}
	}
	return all, nil
}

// below sums up the tree of processes below pid.
func (all snapshot) below(pid int) (usage, error) {
	if _, ok := all[pid]; !ok {
		return usage{}, fmt.Errorf("process %d has ended", pid)
	}
	sum := usage{own: all[pid].usage.own}
	for id, p := range all {
		for at := id; at > 1; at = all[at].parent {
			if at == pid {
				sum.cpu += p.usage.cpu
				sum.rss += p.usage.rss
				break
			}
		}
	}
	return sum, nil
}

// ownCPU is the CPU time of this process.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // fails for wrong arguments only
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// poll calls done until it returns true or ctx ends.
func poll(ctx context.Context, every time.Duration, done func() (bool, error)) error {
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(every):
		}
	}
}
