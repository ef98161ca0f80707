package sandbox

import (
	"fmt"
	"syscall"

	seccomp "github.com/elastic/go-seccomp-bpf"
	"github.com/landlock-lsm/go-landlock/landlock"
	"golang.org/x/sys/unix"
)

// confine takes from this process what decoding does not need. Limits always apply; Landlock and seccomp where the
// kernel has them.
func confine(s settings) (greeting, error) {
	var g greeting
	limits := []struct {
		name     string
		resource int
		value    uint64
	}{
		{"data", unix.RLIMIT_DATA, uint64(s.MaxMemory)},
		{"file size", unix.RLIMIT_FSIZE, 0},
		{"core", unix.RLIMIT_CORE, 0},
	}
	for _, l := range limits {
		if err := unix.Setrlimit(l.resource, &unix.Rlimit{Cur: l.value, Max: l.value}); err != nil {
			return g, fmt.Errorf("limit %s to %d: %w", l.name, l.value, err)
		}
	}
	g.InForce = append(g.InForce, fmt.Sprintf("rlimits (%d MiB, %d s of CPU a picture)", s.MaxMemory>>20, s.CPUTime))

	// Codecs may load their modules and colour profiles; nothing can be written, and nothing else be read.
	err := landlock.V5.BestEffort().RestrictPaths(landlock.RODirs("/usr", "/lib", "/etc").IgnoreIfMissing())
	g.add("landlock (files)", err == nil && landlockSupported())
	g.add("seccomp (network, programs)", denySyscalls() == nil)
	return g, nil
}

func (g *greeting) add(what string, ok bool) {
	if ok {
		g.InForce = append(g.InForce, what)
	} else {
		g.Missing = append(g.Missing, what)
	}
}

// landlockSupported asks the kernel for its version of Landlock, as the library quietly does nothing where it has none.
func landlockSupported() bool {
	const createRulesetVersion = 1
	version, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, createRulesetVersion)
	return errno == 0 && version > 0
}

// denySyscalls refuses what a decoder has no use for and an intruder has.
func denySyscalls() error {
	return seccomp.LoadFilter(seccomp.Filter{
		NoNewPrivs: true,
		Flag:       seccomp.FilterFlagTSync,
		Policy: seccomp.Policy{
			DefaultAction: seccomp.ActionAllow,
			Syscalls: []seccomp.SyscallGroup{{
				Action: seccomp.ActionErrno,
				Names: []string{
					"socket", "socketpair", "connect", "bind", "listen", "accept", "accept4", "sendto", "sendmsg", "sendmmsg",
					"execve", "execveat", "ptrace", "process_vm_readv", "process_vm_writev", "kill", "tkill",
					"mount", "umount2", "pivot_root", "chroot", "setns", "unshare", "bpf", "keyctl", "add_key", "request_key",
					"io_uring_setup", "perf_event_open", "userfaultfd", "init_module", "finit_module", "kexec_load",
				},
			}},
		},
	})
}

// limitCPU gives the next picture its own CPU time: past it the kernel ends the process.
func limitCPU(seconds int64) error {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return err
	}
	limit := uint64(used.Utime.Sec + used.Stime.Sec + 1 + seconds)
	return unix.Setrlimit(unix.RLIMIT_CPU, &unix.Rlimit{Cur: limit, Max: unix.RLIM_INFINITY})
}
