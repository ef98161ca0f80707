package testenv

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Disk mounts a disk in memory on the folder dir, which is made if missing, until t ends. fill fills the disk to the last
// byte; free removes what fill wrote. Disk skips t where mounting is not permitted.
func Disk(t *testing.T, dir string, bytes int) (fill, free func()) {
	t.Helper()
	require.NoError(t, os.MkdirAll(dir, 0o755))
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%d,mode=755", bytes), "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("cannot mount a disk in memory here: %v: %s", err, out)
	}
	t.Cleanup(func() {
		out, err := exec.Command("umount", dir).CombinedOutput()
		require.NoError(t, err, string(out))
	})
	ballast := filepath.Join(dir, "ballast")
	fill = func() {
		file, err := os.Create(ballast)
		require.NoError(t, err)
		for chunk := make([]byte, 4096); err == nil; {
			_, err = file.Write(chunk)
		}
		require.NoError(t, file.Close())
	}
	return fill, func() { require.NoError(t, os.Remove(ballast)) }
}
