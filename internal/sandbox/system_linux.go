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

// dieWithParent: a killed moderator leaves no workers, not even one that hangs. The kernel ties the signal to the
// thread that started the worker; should the Go runtime end that thread alone, the worker is replaced like any other
// that died.
func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

// lateTimers is how late a worker's timers may be, in nanoseconds: it has none but those of the Go runtime, whose watchdog
// sleeps 20 microseconds at a time, fifty times after each wait for a picture. Late, it wakes with the kernel's tick, which
// comes anyway.
const lateTimers = 10_000_000

// startCommand starts a worker. Its threads inherit the slack of timers from this one, also the watchdog's, which is there
// before any code of ours.
func startCommand(cmd *exec.Cmd) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	usual, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	if err == nil && unix.Prctl(unix.PR_SET_TIMERSLACK, lateTimers, 0, 0, 0) == nil {
		defer func() { _ = unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(usual), 0, 0, 0) }()
	}
	return cmd.Start()
}

// sharedFile makes memory that has a descriptor. Its size is sealed: a worker that could cut it off would crash us.
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

// giveBack empties whole pages of shared memory.
func giveBack(pages []byte) { _ = unix.Madvise(pages, unix.MADV_REMOVE) } // else they stay, as the next large file's

func openStatm(pid int) (*os.File, error) { return os.Open(fmt.Sprintf("/proc/%d/statm", pid)) }

// dataSize is what RLIMIT_DATA counts of a process, in bytes: memory of its own that it can write to, also where it has
// told the kernel that it does not need it now.
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
