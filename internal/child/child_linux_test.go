package child

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

const parentEnv = "CHILD_TEST_PARENT"

// TestMain is also the program that starts a child and then waits to be killed.
func TestMain(m *testing.M) {
	if os.Getenv(parentEnv) == "" {
		os.Exit(m.Run())
	}
	cmd := exec.Command("cat")
	cmd.Stdin, cmd.Stdout = os.Stdin, os.Stdout
	if _, err := Start(cmd, syscall.SIGKILL); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("started")
	select {}
}

func TestProcessEndsOnSignals(t *testing.T) {
	p, err := Start(exec.Command("cat"), syscall.SIGKILL) // its standard input is empty
	require.NoError(t, err)
	require.NoError(t, p.Err())
	require.True(t, p.Ended())
	p.Signal(syscall.SIGTERM)

	cmd := exec.Command("cat")
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	defer in.Close()
	p, err = Start(cmd, syscall.SIGKILL)
	require.NoError(t, err)
	require.False(t, p.Ended())
	p.Kill()
	var exit *exec.ExitError
	require.ErrorAs(t, p.Err(), &exit)
	require.Equal(t, syscall.SIGKILL, exit.Sys().(syscall.WaitStatus).Signal())

	_, err = Start(exec.Command("/no/such/program"), syscall.SIGKILL)
	require.ErrorIs(t, err, os.ErrNotExist)
}

// A parent that is killed takes its child with it: the pipe that both write to is closed.
func TestChildEndsWithAKilledParent(t *testing.T) {
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), parentEnv+"=1")
	in, err := parent.StdinPipe() // stays open, so that the child does not end by itself
	require.NoError(t, err)
	defer in.Close()
	read, write, err := os.Pipe()
	require.NoError(t, err)
	defer read.Close()
	parent.Stdout = write
	require.NoError(t, parent.Start())
	require.NoError(t, write.Close())
	out := bufio.NewReader(read)
	line, err := out.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "started\n", line)
	require.NoError(t, parent.Process.Kill())
	require.Error(t, parent.Wait())
	_, err = out.ReadByte()
	require.True(t, errors.Is(err, io.EOF), "%v", err)
}
