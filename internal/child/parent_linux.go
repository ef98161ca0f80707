package child

import "syscall"

func endWithParent(attr *syscall.SysProcAttr, atExit syscall.Signal) { attr.Pdeathsig = atExit }
