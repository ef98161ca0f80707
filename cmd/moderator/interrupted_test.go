package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"moderator/internal/testenv"
)

// A moderator that gets SIGTERM during its start exits without an error. New files show its progress.
func TestInterruptedStart(t *testing.T) {
	t.Parallel()
	for _, stage := range []string{"postgres/data.new", "postgres/data/PG_VERSION", "postgres/data/postmaster.pid", "nats"} {
		t.Run(filepath.Base(stage), func(t *testing.T) {
			t.Parallel()
			dir := dataDir(t)
			cmd := exec.Command(os.Args[0], "run", "--data-dir", dir, "--nats-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0")
			cmd.Env = append(os.Environ(), runAsMain+"=1", "MODERATOR_ONNXRUNTIME_LIB="+testenv.ONNXRuntime(t))
			cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
			require.NoError(t, cmd.Start())
			t.Cleanup(func() { _ = cmd.Process.Kill() })
			require.Eventually(t, func() bool {
				_, err := os.Stat(filepath.Join(dir, stage))
				return err == nil
			}, time.Minute, 5*time.Millisecond)
			require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
			require.NoError(t, cmd.Wait())
		})
	}
}
