package sandbox

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"moderator/internal/imaging"
)

// A picture on which two workers die is undecodable. The error says how they ended.
func TestDeathsOnAPicture(t *testing.T) {
	for mode, words := range map[string]string{
		"crash":      "SIGSEGV",
		"hang":       "no answer, and no use of the CPU within 1s",
		"spin":       "the CPU time for one picture is used up",
		"grow":       "memory|failed to allocate|SIGSEGV",
		"garbage":    "malformed answer from the decode worker",
		"oversized":  "wanted at most 1048576",
		"incredible": "not credible: 49 frames of 1000",
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			o := options(t).as(mode)
			o.CPUTime, o.Timeout = time.Second, 5*time.Minute
			if mode == "hang" {
				o.Timeout = time.Second
			}
			_, err := open(t, o).Decode(t.Context(), []byte("a picture"))
			require.ErrorIs(t, err, imaging.ErrUndecodable)
			require.Regexp(t, words, err.Error())
			require.Equal(t, 2, deathsOf(t, o))
		})
	}
}

// A broken installation is no fault of the file.
func TestErrorsOfTheInstallation(t *testing.T) {
	o := options(t).as("installation")
	_, err := open(t, o).Decode(t.Context(), nil)
	require.EqualError(t, err, "libvips is broken")
	for _, kind := range faults {
		require.NotErrorIs(t, err, kind)
	}
	require.Zero(t, deathsOf(t, o))
}

// Pictures are decoded although their workers are killed: at most one for each picture, because new workers are not killed.
func TestKilledWorkersLoseNothing(t *testing.T) {
	o := options(t)
	o.Workers = 2
	pool, file := open(t, o), photo(t, 2000, 1500)
	want, err := imaging.Decode(file, o.Request)
	require.NoError(t, err)
	for range 4 {
		victims := children(t)
		require.Len(t, victims, o.Workers)
		var all sync.WaitGroup
		for range 3 * o.Workers {
			all.Go(func() {
				have, err := pool.Decode(context.Background(), file)
				if err != nil || want.Frames[0].Views[0].Gray.Width != have.Frames[0].Views[0].Gray.Width {
					t.Error(err)
				}
			})
		}
		require.Eventually(t, func() bool { return len(pool.idle) == 0 }, time.Minute, time.Millisecond, "all workers decode")
		for _, pid := range victims {
			require.NoError(t, syscall.Kill(pid, syscall.SIGSEGV))
		}
		all.Wait()
	}
	require.Equal(t, 4*o.Workers, deathsOf(t, o))
}

// A stopped worker delays its picture by the timeout. Then a new worker decodes it.
func TestStoppedWorker(t *testing.T) {
	o := options(t)
	o.Timeout = 2 * time.Second
	pool, file := open(t, o), photo(t, 100, 100)
	require.NoError(t, syscall.Kill(children(t)[0], syscall.SIGSTOP))
	_, err := pool.Decode(t.Context(), file)
	require.NoError(t, err)
	require.Equal(t, 1, deathsOf(t, o))
}

// The death of an idle worker does not count against the next picture, which has two attempts as usual.
func TestDeathWhileIdle(t *testing.T) {
	o := options(t)
	pool, file := open(t, o), photo(t, 100, 100)
	worker := <-pool.idle
	require.NoError(t, syscall.Kill(worker.cmd.Process.Pid, syscall.SIGSEGV))
	<-worker.exited
	pool.idle <- worker
	_, err := pool.Decode(t.Context(), file)
	require.NoError(t, err)
	require.Equal(t, 1, deathsOf(t, o))

	hangs := options(t).as("hang")
	hangs.Timeout = time.Second
	pool = open(t, hangs)
	worker = <-pool.idle
	require.NoError(t, worker.cmd.Process.Kill())
	<-worker.exited
	pool.idle <- worker
	_, err = pool.Decode(t.Context(), file)
	require.ErrorIs(t, err, imaging.ErrUndecodable)
	require.Equal(t, 3, deathsOf(t, hangs), "one while idle, and both attempts")
}

// A decode that is slow by the clock, but within its CPU time, is not ended.
func TestSlowDecodeIsNoHang(t *testing.T) {
	o := options(t).as("slow")
	o.Timeout = time.Second
	_, err := open(t, o).Decode(t.Context(), photo(t, 100, 100))
	require.NoError(t, err)
	require.Zero(t, deathsOf(t, o))
}

// A worker that was stopped or killed from outside is no fault of the picture.
func TestEndsFromOutside(t *testing.T) {
	for mode, words := range map[string]string{"stopped": "stopped by a signal for 1s", "killed": "signal: killed"} {
		t.Run(mode, func(t *testing.T) {
			o := options(t).as(mode)
			o.Timeout = time.Second
			_, err := open(t, o).Decode(t.Context(), []byte("a picture"))
			require.ErrorIs(t, err, ErrWorkersEnded)
			require.NotErrorIs(t, err, imaging.ErrUndecodable)
			require.ErrorContains(t, err, words)
			require.Equal(t, 2, deathsOf(t, o))
		})
	}
}

// A decode ends with its context. Its worker does not count as dead.
func TestDecodeHearsItsContext(t *testing.T) {
	o := options(t).as("hang")
	pool := open(t, o)
	ctx, cancel := context.WithCancel(t.Context())
	decoded := make(chan error, 1)
	go func() {
		_, err := pool.Decode(ctx, []byte("a picture"))
		decoded <- err
	}()
	require.Eventually(t, func() bool { return len(pool.idle) == 0 }, time.Minute, time.Millisecond)
	cancel()
	require.ErrorIs(t, <-decoded, context.Canceled)
	require.Zero(t, deathsOf(t, o))
}

// Workers end with a parent that is killed, even if they hang.
func TestKilledParent(t *testing.T) {
	parent := exec.Command(os.Args[0], Argument)
	parent.Env = []string{"SANDBOX_TEST=parent"}
	out, err := parent.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, parent.Start())
	var workers []int
	for lines := bufio.NewScanner(out); len(workers) < 2 && lines.Scan(); {
		pid, err := strconv.Atoi(lines.Text())
		require.NoError(t, err)
		workers = append(workers, pid)
	}
	require.Len(t, workers, 2)
	require.NoError(t, parent.Process.Kill())
	_ = parent.Wait()
	for _, pid := range workers {
		require.Eventually(t, func() bool { return !runs(pid) }, 10*time.Second, 10*time.Millisecond)
	}
}

// runs reports whether a process exists and is not a zombie.
func runs(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, state, _ := strings.Cut(string(stat), ") ")
	return err == nil && !strings.HasPrefix(state, "Z")
}
