package devstack

import (
	"os"
	"strconv"
	"syscall"
)

// sysProcAttr: a process group of its own keeps the terminal's Ctrl-C away from the server, and the kernel sends the
// server SIGINT, its fast shutdown, when the thread that started it ends.
func sysProcAttr(c *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: c, Setpgid: true, Pdeathsig: syscall.SIGINT}
}

// isServerOf reports whether the process is a server whose data directory is data: a server changes into it at its
// start. A pid that was given to another program since is thereby left alone.
func isServerOf(pid int, data string) bool {
	cwd, err := os.Stat("/proc/" + strconv.Itoa(pid) + "/cwd")
	if err != nil {
		return false
	}
	dir, err := os.Stat(data)
	return err == nil && os.SameFile(cwd, dir)
}
