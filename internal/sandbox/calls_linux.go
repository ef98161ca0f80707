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
		"read", "pread64", "write", "writev", "close", "lseek", "fstat", stat, "statx", "getdents64",
		// memory
		"brk", "munmap", "mremap", "mprotect",
		// threads and their signals
		"futex", "set_robust_list", "rseq", "sched_yield", "getcpu", "gettid", "getpid", "sigaltstack",
		"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "restart_syscall", "exit", "exit_group",
		// the Go runtime's timers
		"epoll_create1", "epoll_ctl", "epoll_pwait", "eventfd2",
		// time, chance and consumption
		"nanosleep", "clock_nanosleep", "clock_gettime", "clock_getres", "gettimeofday", "getrandom", "getrusage", "sysinfo", "uname",
	}
}

// conditionalCalls are allowed with some arguments. What names a process may name only this one: our parent has our user,
// so that the kernel would let us change its limits, and have signals sent to it by what happens on a descriptor.
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
		when("madvise", condition{Argument: 2, Operation: seccomp.LessThan, Value: unix.MADV_HWPOISON}), // which would break pages that the parent has too
		when("clone", condition{Argument: 0, Operation: seccomp.BitsSet, Value: unix.CLONE_THREAD}),
		when("tgkill", equal(0, uint64(os.Getpid()))),
		when("prctl", equal(0, unix.PR_SET_NAME)),
		when("sched_getaffinity", itself),
		when("prlimit64", itself, equal(1, unix.RLIMIT_CPU)), // see limitCPU
		when("prlimit64", itself, equal(2, 0)),               // questions only
	}
}
