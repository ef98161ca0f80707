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

// A worker that ends badly on a picture twice makes it undecodable, with how.
func TestDeathsOnAPicture(t *testing.T) {
	for mode, words := range map[string]string{
		"crash":      "SIGSEGV",
		"hang":       "no answer, and no use of the CPU within 1s",
		"spin":       "the CPU time for one picture is used up",
		"grow":       "memory|failed to allocate|SIGSEGV",
		"garbage":    "the decode worker's answer is none",
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

// What is broken here and not in the file is no verdict on the file.
func TestErrorsOfTheInstallation(t *testing.T) {
	o := options(t).as("installation")
	_, err := open(t, o).Decode(t.Context(), nil)
	require.EqualError(t, err, "libvips is broken")
	for _, kind := range faults {
		require.NotErrorIs(t, err, kind)
	}
	require.Zero(t, deathsOf(t, o))
}

// Pictures come out right while their decoders are killed: on each at most one, as fresh ones are spared.
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
		time.Sleep(20 * time.Millisecond) // into the decodes
		for _, pid := range victims {
			require.NoError(t, syscall.Kill(pid, syscall.SIGSEGV))
		}
		all.Wait()
	}
	require.Equal(t, 4*o.Workers, deathsOf(t, o))
}

// A stopped worker holds its picture up for the timeout, and then a fresh one decodes it.
func TestStoppedWorker(t *testing.T) {
	o := options(t)
	o.Timeout = 2 * time.Second
	pool, file := open(t, o), photo(t, 100, 100)
	require.NoError(t, syscall.Kill(children(t)[0], syscall.SIGSTOP))
	_, err := pool.Decode(t.Context(), file)
	require.NoError(t, err)
	require.Equal(t, 1, deathsOf(t, o))
}

// The death of an idle worker is on no picture's account: one that then kills its first worker has another.
func TestDeathWhileIdle(t *testing.T) {
	o := options(t)
	pool, file := open(t, o), photo(t, 100, 100)
	worker := <-pool.idle
	require.NoError(t, syscall.Kill(worker.cmd.Process.Pid, syscall.SIGSEGV))
	<-worker.gone
	pool.idle <- worker
	_, err := pool.Decode(t.Context(), file)
	require.NoError(t, err)
	require.Equal(t, 1, deathsOf(t, o))

	hangs := options(t).as("hang")
	hangs.Timeout = time.Second
	pool = open(t, hangs)
	worker = <-pool.idle
	require.NoError(t, worker.cmd.Process.Kill())
	<-worker.gone
	pool.idle <- worker
	_, err = pool.Decode(t.Context(), file)
	require.ErrorIs(t, err, imaging.ErrUndecodable)
	require.Equal(t, 3, deathsOf(t, hangs), "one idle, and both tries")
}

// A picture takes the CPU time that it takes: the clock, which is busy with others, does not end it.
func TestSlowDecodeIsNoHang(t *testing.T) {
	o := options(t).as("slow")
	o.Timeout = time.Second
	_, err := open(t, o).Decode(t.Context(), photo(t, 100, 100))
	require.NoError(t, err)
	require.Zero(t, deathsOf(t, o))
}

// A worker that was stopped or killed from outside says nothing about the picture.
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

// A decode ends with its context, and its worker is no death.
func TestDecodeHearsItsContext(t *testing.T) {
	o := options(t).as("hang")
	pool := open(t, o)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	_, err := pool.Decode(ctx, []byte("a picture"))
	require.ErrorIs(t, err, context.Canceled)
	require.Zero(t, deathsOf(t, o))
}

// Also workers that hang end with a parent that is killed.
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

// runs says whether a process is there and no zombie, whose parent is slow.
func runs(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, state, _ := strings.Cut(string(stat), ") ")
	return err == nil && !strings.HasPrefix(state, "Z")
}
