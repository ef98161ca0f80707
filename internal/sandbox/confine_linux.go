package sandbox

import (
	"fmt"
	"os"
	"runtime"
	"time"
	"unsafe"

	"github.com/landlock-lsm/go-landlock/landlock"
	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/psx"
)

// confine drops everything that decoding does not need from this process. Limits always apply; Landlock and seccomp apply
// if the kernel has them.
func confine(s settings) (greeting, error) {
	var g greeting
	// When the machine runs out of memory, the kernel kills a worker before the moderator. Without /proc it may not.
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0)
	statm, err := openStatm(os.Getpid())
	if err != nil {
		return g, err
	}
	defer statm.Close()
	data, err := dataSize(statm)
	if err != nil {
		return g, err
	}
	for _, l := range []struct {
		name     string
		resource int
		most     uint64
	}{
		{"memory", unix.RLIMIT_DATA, uint64(data + s.MaxMemory)},
		{"file size", unix.RLIMIT_FSIZE, 0},
		{"core file size", unix.RLIMIT_CORE, 0},
	} {
		if err := unix.Setrlimit(l.resource, &unix.Rlimit{Cur: l.most, Max: l.most}); err != nil {
			return g, fmt.Errorf("limit the %s to %d: %w", l.name, l.most, err)
		}
	}
	g.InForce = append(g.InForce, confinedLimits)

	// The filter applies to all threads, but only this thread has the privilege to set it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	g.add(confinedFiles, hasLandlock() && denyFiles() == nil)
	g.add(confinedRights, dropCapabilities() == nil)
	g.add(confinedCalls, filterCalls() == nil)
	return g, nil
}

func (g *greeting) add(what string, inForce bool) {
	if inForce {
		g.InForce = append(g.InForce, what)
	} else {
		g.Missing = append(g.Missing, what)
	}
}

// denyFiles allows reads of the folders from which codecs load their modules. It denies everything else that this kernel's
// Landlock covers: other files, TCP, abstract sockets, signals to other processes.
func denyFiles() error {
	return landlock.V9.BestEffort().Restrict(landlock.RODirs("/usr", "/lib").IgnoreIfMissing())
}

// dropCapabilities drops all capabilities of all threads; a moderator that runs as root passes them on. A worker cannot
// regain them, because it may neither get new privileges nor start programs.
func dropCapabilities() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	_, _, errno := psx.Syscall3(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&none)), 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// hasLandlock reports whether the kernel has Landlock. Without it, the library does nothing and reports no error.
func hasLandlock() bool {
	version, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	return errno == 0 && version > 0
}

// limitCPU limits the CPU time of the next picture.
func limitCPU(seconds int64) error {
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &used); err != nil {
		return err
	}
	spent := time.Duration(used.Utime.Nano() + used.Stime.Nano())
	limit := uint64((spent+time.Second-1)/time.Second) + uint64(seconds)
	return unix.Setrlimit(unix.RLIMIT_CPU, &unix.Rlimit{Cur: limit, Max: unix.RLIM_INFINITY})
}
