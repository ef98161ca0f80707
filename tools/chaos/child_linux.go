package main

import "syscall"

// childAttr: a process group of its own keeps the terminal's Ctrl-C away, and a killed chaos leaves nothing running.
func childAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
