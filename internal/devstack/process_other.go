//go:build !linux

package devstack

import (
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// sysProcAttr: a process group of its own keeps the terminal's Ctrl-C away from the server.
func sysProcAttr(c *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: c, Setpgid: true}
}

// serversOn returns parent, when it is a PostgreSQL server that was started on the data directory.
func serversOn(data string, parent int) []int {
	out, err := exec.Command("ps", "-o", "command=", "-p", strconv.Itoa(parent)).Output()
	if err != nil || !strings.Contains(string(out), "postgres -D "+data+" ") {
		return nil
	}
	return []int{parent}
}
