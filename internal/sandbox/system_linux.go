package sandbox

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// dieWithParent lets a worker die with its parent, even if it hangs. The kernel sends the signal when the thread that
// started the worker ends; if the Go runtime ends only that thread, the pool replaces the worker.
func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

// timerSlack is how late a worker's timers may fire, in nanoseconds. Only the Go runtime uses timers there: its monitor
// sleeps 20 microseconds at a time, fifty times after each wait for a picture. With slack, it wakes with the kernel's tick.
const timerSlack = 10_000_000

// startCommand starts a worker. Its threads inherit the timer slack from this thread, including the monitor's thread, which
// starts before any code of ours.
func startCommand(cmd *exec.Cmd) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	usual, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	if err == nil && unix.Prctl(unix.PR_SET_TIMERSLACK, timerSlack, 0, 0, 0) == nil {
		defer func() { _ = unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(usual), 0, 0, 0) }()
	}
	return cmd.Start()
}

// sharedFile creates memory with a descriptor. Its size is sealed: a worker that truncated it would crash the parent.
func sharedFile(size int64) (*os.File, error) {
	fd, err := unix.MemfdCreate("decode-worker", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), "decode-worker")
	err = file.Truncate(size)
	if err == nil {
		_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_SEAL)
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

// releasePages frees whole pages of shared memory. If that fails, they stay allocated for the next large file.
func releasePages(pages []byte) { _ = unix.Madvise(pages, unix.MADV_REMOVE) }

func openStatm(pid int) (*os.File, error) { return os.Open(fmt.Sprintf("/proc/%d/statm", pid)) }

// dataSize returns the bytes of a process that RLIMIT_DATA counts: its private writable memory, including memory that it
// has released with madvise.
func dataSize(statm *os.File) (int64, error) {
	var text [128]byte
	n, err := statm.ReadAt(text[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	fields := strings.Fields(string(text[:n])) // proc(5): size resident shared text lib data dt, in pages
	if len(fields) < 6 {
		return 0, fmt.Errorf("%s is %q, wanted seven numbers", statm.Name(), text[:n])
	}
	pages, err := strconv.ParseInt(fields[5], 10, 64)
	return pages * int64(os.Getpagesize()), err
}
