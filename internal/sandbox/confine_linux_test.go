package sandbox

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/elastic/go-seccomp-bpf/arch"
	"github.com/stretchr/testify/require"
)

// A worker that a picture has taken over gets nowhere. The attempts would show nothing if they failed anyway: those that
// any user's process may make succeed in one that is not confined.
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

// A name that an architecture lacks would leave its workers without the filter.
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
