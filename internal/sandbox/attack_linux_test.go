package sandbox

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sys/unix"

	"moderator/internal/imaging"
)

// victim starts a worker that attacks it, sends it two requests, and prints what worked and whether its limits changed.
func victim() {
	before := limits()
	pool, err := Start(Options{
		Command: []string{"/usr/bin/env", "SANDBOX_TEST=attack", os.Args[0], Argument}, Request: request(), Workers: 1,
		MaxMemory: minMemory, CPUTime: time.Minute, Timeout: time.Minute, Recycle: 10, Metrics: prometheus.NewRegistry(),
	})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	defer pool.Close()
	if _, missing := pool.Confinement(); len(missing) > 0 {
		fmt.Println("missing:", strings.Join(missing, ", "))
		return
	}
	for range 2 { // the first answer and the second request are events on descriptors that could signal their owner
		_, err = pool.Decode(context.Background(), []byte("a picture"))
	}
	fmt.Println(err)
	for end := cpuTime(os.Getpid()) + 3*time.Second; cpuTime(os.Getpid()) < end; { // a limit of a second of CPU time kills
	}
	if limits() == before {
		fmt.Println("alive, limits as before")
	}
}

// limits returns all limits of this process.
func limits() (all [unix.RLIMIT_RTTIME + 1]unix.Rlimit) {
	for resource := range all {
		_ = unix.Getrlimit(resource, &all[resource])
	}
	return all
}

// attack is the decode of a worker that attacks its parent.
func attack([]byte, []byte, imaging.Request) answer {
	limit := [unix.RLIMIT_RTTIME + 1]unix.Rlimit{}
	for resource := range limit {
		limit[resource] = unix.Rlimit{Cur: 1, Max: 1}
	}
	return answer{Error: "worked: " + strings.Join(attackOn(os.Getppid(), syscall.SIGKILL, limit), ", ")}
}

// shared holds arguments of attacks. Unlike a goroutine's stack, it does not move.
var shared struct {
	cpus      unix.CPUSet
	process   [2]int32
	unlock    unix.Flock_t
	owner, on int32
}

// attackOn tries what a process of the same user may do to the target. It returns the calls that were allowed, whatever
// their effect.
func attackOn(target int, signal syscall.Signal, limit [unix.RLIMIT_RTTIME + 1]unix.Rlimit) (done []string) {
	pid := uintptr(target)
	try := func(what string, call uintptr, arguments ...uintptr) {
		a := append(slices.Clone(arguments), 0, 0, 0, 0)
		if _, _, errno := syscall.RawSyscall6(call, a[0], a[1], a[2], a[3], a[4], 0); errno != unix.EPERM {
			done = append(done, what)
		}
	}
	for resource := range limit {
		var old unix.Rlimit
		if unix.Prlimit(target, resource, nil, &old) == nil {
			done = append(done, "read limits")
		}
		if unix.Prlimit(target, resource, &limit[resource], nil) == nil {
			done = append(done, "set limits")
		}
	}
	try("read CPUs", unix.SYS_SCHED_GETAFFINITY, pid, unsafe.Sizeof(shared.cpus), uintptr(unsafe.Pointer(&shared.cpus)))
	try("set CPUs", unix.SYS_SCHED_SETAFFINITY, pid, 0, 0)
	try("set the priority", unix.SYS_SETPRIORITY, unix.PRIO_PROCESS, pid, 19)
	try("tgkill", unix.SYS_TGKILL, pid, pid, 0)
	try("tkill", unix.SYS_TKILL, pid, 0)
	try("kill", unix.SYS_KILL, pid, 0)
	try("pidfd_open", unix.SYS_PIDFD_OPEN, pid)
	try("process_vm_writev", unix.SYS_PROCESS_VM_WRITEV, pid)
	try("poison a page", unix.SYS_MADVISE, 0, 4096, unix.MADV_HWPOISON) // nothing is mapped there
	try("take a page out of use", unix.SYS_MADVISE, 0, 4096, unix.MADV_HWPOISON+1)

	const fioasync, fiosetown, siocspgrp = 0x5452, 0x8901, 0x8902 // of asm-generic/ioctls.h and sockios.h
	shared.owner, shared.on = int32(target), 1
	shared.process = [2]int32{1, int32(target)} // F_OWNER_PID
	shared.unlock.Type = unix.F_UNLCK
	for fd := range uintptr(3) {
		flags, _, _ := syscall.RawSyscall(unix.SYS_FCNTL, fd, unix.F_GETFL, 0)
		try("F_SETOWN", unix.SYS_FCNTL, fd, unix.F_SETOWN, pid)
		try("F_SETOWN_EX", unix.SYS_FCNTL, fd, unix.F_SETOWN_EX, uintptr(unsafe.Pointer(&shared.process)))
		try("F_SETSIG", unix.SYS_FCNTL, fd, unix.F_SETSIG, uintptr(signal))
		try("O_ASYNC", unix.SYS_FCNTL, fd, unix.F_SETFL, flags|unix.O_ASYNC)
		try("F_NOTIFY", unix.SYS_FCNTL, fd, unix.F_NOTIFY, 1)
		try("F_SETLEASE", unix.SYS_FCNTL, fd, unix.F_SETLEASE, unix.F_WRLCK)
		try("F_SETLK", unix.SYS_FCNTL, fd, unix.F_SETLK, uintptr(unsafe.Pointer(&shared.unlock)))
		try("F_SETPIPE_SZ", unix.SYS_FCNTL, fd, unix.F_SETPIPE_SZ, 4096)
		try("FIOASYNC", unix.SYS_IOCTL, fd, fioasync, uintptr(unsafe.Pointer(&shared.on)))
		try("FIOSETOWN", unix.SYS_IOCTL, fd, fiosetown, uintptr(unsafe.Pointer(&shared.owner)))
		try("SIOCSPGRP", unix.SYS_IOCTL, fd, siocspgrp, uintptr(unsafe.Pointer(&shared.owner)))
	}
	slices.Sort(done)
	return slices.Compact(done)
}
