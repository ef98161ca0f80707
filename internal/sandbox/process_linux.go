package sandbox

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// dieWithParent: a killed moderator leaves no workers; should the signal be lost, their input ends.
func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

// widen makes a pipe hold a usual picture, so that parent and worker change places less often.
func widen(pipe any) {
	if file, ok := pipe.(*os.File); ok {
		_, _ = unix.FcntlInt(file.Fd(), unix.F_SETPIPE_SZ, pipeBuffer) // a smaller pipe works too
	}
}
