package sandbox

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/elastic/go-seccomp-bpf/arch"
	"github.com/stretchr/testify/require"
)

// A worker that a picture has taken over can do nothing outside. The same attempts succeed in a process that is not
// confined, unless they need root.
func TestConfinement(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "secret")
	require.NoError(t, os.WriteFile(file, []byte("secret"), 0o600))
	question := []byte(file + "\n" + dir)

	pool := open(t, options(t).as("probe"))
	inForce, missing := pool.Confinement()
	require.Contains(t, inForce, confinedLimits)
	if len(missing) > 0 {
		t.Skipf("this kernel lacks %v", missing)
	}
	_, err := pool.Decode(t.Context(), question)
	require.EqualError(t, err, "worked: ")

	unconfined := exec.Command(os.Args[0], Argument, string(question))
	unconfined.Env = []string{"SANDBOX_TEST=free"}
	free, err := unconfined.Output()
	require.NoError(t, err)
	for _, attempt := range []string{
		"read a file", "read /etc/passwd", "write a file", "empty a file", "open a TCP socket", "open a unix socket", "listen",
		"start a program", "signal the parent", "share memory that no limit counts", "make a file in memory",
	} {
		require.Contains(t, string(free), attempt)
	}
}

// A worker that a picture has taken over cannot harm its parent, neither by calls that name the parent's process nor through
// shared descriptors and pages. The parent is a process of its own here, because a successful attack kills it.
func TestAttacksOnTheParent(t *testing.T) {
	victim := exec.Command(os.Args[0], Argument)
	victim.Env = []string{"SANDBOX_TEST=victim"}
	said, err := victim.CombinedOutput()
	require.NoError(t, err, "the victim ended: %s", said)
	if bytes.HasPrefix(said, []byte("missing")) {
		t.Skipf("this kernel lacks what confines a worker: %s", said)
	}
	require.Equal(t, "worked: \nalive, limits as before\n", string(said))

	// The same calls succeed without confinement: here on the process itself, with an ignored signal and unchanged limits.
	unconfined := exec.Command(os.Args[0], Argument)
	unconfined.Env = []string{"SANDBOX_TEST=attack itself"}
	free, err := unconfined.Output()
	require.NoError(t, err)
	for _, attempt := range []string{
		"F_NOTIFY", "F_SETLEASE", "F_SETLK", "F_SETOWN", "F_SETOWN_EX", "F_SETPIPE_SZ", "F_SETSIG", "FIOASYNC", "FIOSETOWN", "O_ASYNC",
		"kill", "pidfd_open", "read CPUs", "read limits", "set CPUs", "set limits", "tgkill", "tkill",
	} {
		require.Contains(t, strings.Split(strings.TrimSpace(string(free)), ", "), attempt)
	}
}

// No thread of a worker has capabilities, even if root starts it.
func TestNoCapabilities(t *testing.T) {
	open(t, options(t))
	for _, pid := range children(t) {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
		require.NoError(t, err)
		require.NotEmpty(t, threads)
		for _, thread := range threads {
			status, err := os.ReadFile(thread)
			require.NoError(t, err)
			for _, set := range []string{"CapInh", "CapPrm", "CapEff", "CapAmb"} {
				require.Regexp(t, set+`:\t0+\n`, string(status))
			}
		}
	}
}

// An unknown call's name would leave the workers of that architecture without the filter.
func TestCallsAreKnown(t *testing.T) {
	for goarch, name := range map[string]string{"amd64": "x86_64", "arm64": "aarch64"} {
		info, err := arch.GetInfo(name)
		require.NoError(t, err)
		names := append(allowedCalls(goarch), "clone3")
		for _, call := range conditionalCalls() {
			names = append(names, call.Name)
		}
		for _, call := range names {
			require.Contains(t, info.SyscallNames, call, name)
		}
	}
}
