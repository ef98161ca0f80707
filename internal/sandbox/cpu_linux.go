package sandbox

import (
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime returns the CPU time that a process has used, or 0 if it has ended.
func cpuTime(pid int) time.Duration {
	var spent unix.Timespec
	const scheduled = 2 // CPUCLOCK_SCHED in the kernel's posix-timers.h; see clock_getcpuclockid(3)
	if err := unix.ClockGettime(int32(^pid<<3|scheduled), &spent); err != nil {
		return 0
	}
	return time.Duration(spent.Nano())
}

// threadStates reports whether a thread of the process runs or waits for a CPU or disk (working), and whether one is stopped.
func threadStates(pid int) (working, stopped bool) {
	tasks := fmt.Sprintf("/proc/%d/task", pid)
	threads, err := os.ReadDir(tasks)
	if err != nil {
		return false, false
	}
	for _, thread := range threads {
		stat, err := os.ReadFile(tasks + "/" + thread.Name() + "/stat")
		_, fields, found := strings.Cut(string(stat), ") ") // proc(5): the state follows the name
		if err != nil || !found || fields == "" {
			continue
		}
		switch fields[0] {
		case 'R', 'D':
			working = true
		case 'T', 't':
			stopped = true
		}
	}
	return working, stopped
}
