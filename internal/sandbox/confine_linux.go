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

// confine takes from this process what decoding does not need. Limits always apply; Landlock and seccomp where the
// kernel has them.
func confine(s settings) (greeting, error) {
	var g greeting
	// When the machine runs out of memory, the kernel shall take a worker and not the moderator. Without /proc it chooses.
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

	// The filter is synchronised to all threads, but the privilege to set it is this thread's.
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

// denyFiles leaves what codecs may load their parts from, for reading. Everything else that this kernel's Landlock
// knows of is refused: other files, TCP, abstract sockets, signals to others.
func denyFiles() error {
	return landlock.V9.BestEffort().Restrict(landlock.RODirs("/usr", "/lib").IgnoreIfMissing())
}

// dropCapabilities takes all capabilities from all threads, which a moderator that root started passes on. Without new
// privileges and new programs none comes back.
func dropCapabilities() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	_, _, errno := psx.Syscall3(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&none)), 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// hasLandlock asks the kernel, as the library quietly does nothing where there is none.
func hasLandlock() bool {
	version, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	return errno == 0 && version > 0
}

// limitCPU gives the next picture its own CPU time.
func limitCPU(seconds int64) error {
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &used); err != nil {
		return err
	}
	spent := time.Duration(used.Utime.Nano() + used.Stime.Nano())
	limit := uint64((spent+time.Second-1)/time.Second) + uint64(seconds)
	return unix.Setrlimit(unix.RLIMIT_CPU, &unix.Rlimit{Cur: limit, Max: unix.RLIM_INFINITY})
}
