package sandbox

import (
	"os"
	"runtime"

	seccomp "github.com/elastic/go-seccomp-bpf"
	"golang.org/x/sys/unix"
)

// filterCalls leaves the system calls that the Go runtime and the codecs make; every other one fails with EPERM. An
// allow list, since the kernel's list grows and each new call would be a new way out.
func filterCalls() error {
	return seccomp.LoadFilter(seccomp.Filter{
		NoNewPrivs: true,
		Flag:       seccomp.FilterFlagTSync,
		Policy: seccomp.Policy{
			DefaultAction: seccomp.ActionErrno,
			Syscalls: []seccomp.SyscallGroup{
				{Action: seccomp.ActionAllow, Names: allowedCalls(runtime.GOARCH), NamesWithCondtions: conditionalCalls()},
				// Only a call that seems not to exist makes the C library fall back to clone, whose flags can be seen.
				{Action: seccomp.ActionErrno | seccomp.Action(unix.ENOSYS), Names: []string{"clone3"}},
			},
		},
	})
}

// allowedCalls are allowed with any arguments.
func allowedCalls(goarch string) []string {
	stat := "newfstatat"
	if goarch == "arm64" {
		stat = "fstatat" // as the library names it there
	}
	return []string{
		// descriptors that are open, and what there is to know of files
		"read", "pread64", "write", "writev", "close", "lseek", "fcntl", "fstat", stat, "statx", "getdents64",
		// memory
		"brk", "munmap", "mremap", "mprotect", "madvise",
		// threads and their signals
		"futex", "set_robust_list", "rseq", "sched_yield", "sched_getaffinity", "getcpu", "gettid", "getpid", "sigaltstack",
		"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "restart_syscall", "exit", "exit_group",
		// the Go runtime's timers
		"epoll_create1", "epoll_ctl", "epoll_pwait", "eventfd2",
		// time, chance and consumption
		"nanosleep", "clock_nanosleep", "clock_gettime", "clock_getres", "gettimeofday", "getrandom", "getrusage", "sysinfo", "uname",
	}
}

// conditionalCalls are allowed with some arguments.
func conditionalCalls() []seccomp.NameWithConditions {
	when := func(name string, argument uint32, is seccomp.Operation, value uint64) seccomp.NameWithConditions {
		return seccomp.NameWithConditions{Name: name, Conditions: []seccomp.Condition{{Argument: argument, Operation: is, Value: value}}}
	}
	const writes = unix.O_WRONLY | unix.O_RDWR | unix.O_CREAT | unix.O_TRUNC | unix.O_APPEND
	return []seccomp.NameWithConditions{
		when("openat", 2, seccomp.BitsNotSet, writes),
		when("mmap", 3, seccomp.BitsNotSet, unix.MAP_SHARED), // RLIMIT_DATA does not count shared memory
		when("clone", 0, seccomp.BitsSet, unix.CLONE_THREAD),
		when("tgkill", 0, seccomp.Equal, uint64(os.Getpid())),
		when("prctl", 0, seccomp.Equal, unix.PR_SET_NAME),
		when("prlimit64", 1, seccomp.Equal, unix.RLIMIT_CPU), // see limitCPU
		when("prlimit64", 2, seccomp.Equal, 0),               // questions only
	}
}
