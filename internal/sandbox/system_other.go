//go:build !linux

package sandbox

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// dieWithParent does nothing: a worker ends when its input is closed.
func dieWithParent() *syscall.SysProcAttr { return nil }

func startCommand(cmd *exec.Cmd) error { return cmd.Start() }

// sharedFile creates a file without a name.
func sharedFile(size int64) (*os.File, error) {
	file, err := os.CreateTemp("", "decode-worker-")
	if err != nil {
		return nil, err
	}
	if err := errors.Join(os.Remove(file.Name()), file.Truncate(size)); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

func releasePages([]byte) {}

func openStatm(int) (*os.File, error) { return nil, nil }

// cpuTime and threadStates report nothing, so that the timeout is one of the clock.
func cpuTime(int) time.Duration { return 0 }

func threadStates(int) (working, stopped bool) { return false, false }

func dataSize(*os.File) (int64, error) { return 0, nil }

// confine reports that nothing confines the worker but its own process.
func confine(settings) (greeting, error) {
	return greeting{Missing: []string{confinedLimits, confinedFiles, confinedRights, confinedCalls}}, nil
}

func limitCPU(int64) error { return nil }
