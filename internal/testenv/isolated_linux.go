package testenv

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const isolatedEnv = "TESTENV_ISOLATED"

// Isolated runs the test t again in a new process, with a network and mounts of its own, and returns false when it has ended.
// In the new process it returns true, and t goes on. The network is a loopback interface that accepts every address: it
// refuses every connection, and WatchNetwork sees it. Isolated skips t where namespaces are not permitted.
func Isolated(t *testing.T) bool {
	t.Helper()
	if os.Getenv(isolatedEnv) == t.Name() {
		isolate(t)
		return true
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), isolatedEnv+"="+t.Name())
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	err := cmd.Run()
	if errors.Is(err, syscall.EPERM) {
		t.Skip("a network namespace is not permitted here: run the tests as root")
	}
	require.NoError(t, err)
	return false
}

// isolate brings the loopback up, and sends look-ups of names through it.
func isolate(t *testing.T) {
	lo, err := netlink.LinkByName("lo")
	require.NoError(t, err)
	require.NoError(t, netlink.LinkSetUp(lo))
	for _, everything := range []string{"0.0.0.0/0", "::/0"} {
		if _, err := os.Stat("/proc/sys/net/ipv6"); err != nil && everything == "::/0" {
			continue // the kernel has no IPv6
		}
		_, to, err := net.ParseCIDR(everything)
		require.NoError(t, err)
		require.NoError(t, netlink.RouteAdd(&netlink.Route{
			LinkIndex: lo.Attrs().Index, Dst: to, Type: unix.RTN_LOCAL, Table: unix.RT_TABLE_LOCAL, Scope: netlink.SCOPE_HOST,
		}))
	}
	// A resolver may listen on a socket in the file system, which a network namespace does not separate.
	for path, text := range map[string]string{"/etc/resolv.conf": "nameserver 192.0.2.53\n", "/etc/nsswitch.conf": "hosts: files dns\n"} {
		if _, err := os.Stat(path); err != nil {
			continue
		}
		file := filepath.Join(t.TempDir(), filepath.Base(path))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
		require.NoError(t, unix.Mount(file, path, "", unix.MS_BIND, ""))
		t.Cleanup(func() { _ = unix.Unmount(path, unix.MNT_DETACH) })
	}
}
