package sandbox

import (
	"os"
	"runtime"

	seccomp "github.com/elastic/go-seccomp-bpf"
	"golang.org/x/sys/unix"
)

// filterCalls allows the system calls of the Go runtime and the codecs. All others fail with EPERM, including those that
// the kernel will add.
func filterCalls() error {
	return seccomp.LoadFilter(seccomp.Filter{
		NoNewPrivs: true,
		Flag:       seccomp.FilterFlagTSync,
		Policy: seccomp.Policy{
			DefaultAction: seccomp.ActionErrno,
			Syscalls: []seccomp.SyscallGroup{
				{Action: seccomp.ActionAllow, Names: allowedCalls(runtime.GOARCH), NamesWithCondtions: conditionalCalls()},
				// With ENOSYS the C library falls back to clone, whose flags a filter can check.
				{Action: seccomp.ActionErrno | seccomp.Action(unix.ENOSYS), Names: []string{"clone3"}},
			},
		},
	})
}

// allowedCalls returns the calls that are allowed with any arguments.
func allowedCalls(goarch string) []string {
	stat := "newfstatat"
	if goarch == "arm64" {
		stat = "fstatat" // the library's name for it on arm64
	}
	return []string{
		// open descriptors, and file metadata
		"read", "pread64", "write", "writev", "close", "lseek", "fstat", stat, "statx", "getdents64",
		// memory
		"brk", "munmap", "mremap", "mprotect",
		// threads and their signals
		"futex", "set_robust_list", "rseq", "sched_yield", "getcpu", "gettid", "getpid", "sigaltstack",
		"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "restart_syscall", "exit", "exit_group",
		// the Go runtime's timers
		"epoll_create1", "epoll_ctl", "epoll_pwait", "eventfd2",
		// time, random numbers and usage
		"nanosleep", "clock_nanosleep", "clock_gettime", "clock_getres", "gettimeofday", "getrandom", "getrusage", "sysinfo", "uname",
	}
}

// conditionalCalls returns the calls that are allowed with some arguments. Calls on processes may name this one only: the
// parent has the same user, so that a worker could change its limits, or have a descriptor send it signals.
func conditionalCalls() []seccomp.NameWithConditions {
	type condition = seccomp.Condition
	when := func(name string, all ...condition) seccomp.NameWithConditions {
		return seccomp.NameWithConditions{Name: name, Conditions: all}
	}
	equal := func(argument uint32, value uint64) condition {
		return condition{Argument: argument, Operation: seccomp.Equal, Value: value}
	}
	without := func(argument uint32, bits uint64) condition {
		return condition{Argument: argument, Operation: seccomp.BitsNotSet, Value: bits}
	}
	const writes = unix.O_WRONLY | unix.O_RDWR | unix.O_CREAT | unix.O_TRUNC | unix.O_APPEND
	itself := equal(0, 0)
	return []seccomp.NameWithConditions{
		when("openat", without(2, writes)),
		when("fcntl", equal(1, unix.F_GETFD)),
		when("fcntl", equal(1, unix.F_SETFD)),
		when("fcntl", equal(1, unix.F_GETFL)),
		when("fcntl", equal(1, unix.F_SETFL), without(2, unix.O_ASYNC)),
		when("fcntl", equal(1, unix.F_DUPFD_CLOEXEC)),
		when("mmap", without(3, unix.MAP_SHARED)),                                                       // RLIMIT_DATA does not count shared memory
		when("madvise", condition{Argument: 2, Operation: seccomp.LessThan, Value: unix.MADV_HWPOISON}), // which would break pages that are shared with the parent
		when("clone", condition{Argument: 0, Operation: seccomp.BitsSet, Value: unix.CLONE_THREAD}),
		when("tgkill", equal(0, uint64(os.Getpid()))),
		when("prctl", equal(0, unix.PR_SET_NAME)),
		when("sched_getaffinity", itself),
		when("prlimit64", itself, equal(1, unix.RLIMIT_CPU)), // see limitCPU
		when("prlimit64", itself, equal(2, 0)),               // reads only
	}
}
