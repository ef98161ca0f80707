package sandbox

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"moderator/internal/imaging"
)

// Argument is the hidden command that makes this binary a worker.
const Argument = "decode-worker"

// memoryFD is the descriptor of the shared memory, the first after stderr.
const memoryFD = 3

// Work runs a worker process: it reads its settings from in, confines itself, writes its greeting to out, and decodes until
// in is closed.
func Work(in *os.File, out io.Writer) error {
	requests, err := polled(in)
	if err != nil {
		return err
	}
	return work(requests, out, decode)
}

// polled makes the Go runtime wait for the file with its poller. After a read that blocks its thread for 10 ms, the
// runtime's monitor polls 50 times in a millisecond, which takes a tenth of a small picture's CPU time.
func polled(file *os.File) (*os.File, error) {
	fd := file.Fd()
	if err := syscall.SetNonblock(int(fd), true); err != nil {
		return nil, fmt.Errorf("wait for %s without blocking: %w", file.Name(), err)
	}
	return os.NewFile(fd, file.Name()), nil
}

// rareGC is a worker's GOGC. A picture's garbage is small compared with the memory limit, which also starts a collection.
const rareGC = 400

// work is Work with a replaceable decode, for tests.
func work(in io.Reader, out io.Writer, decode func(file, pixels []byte, r imaging.Request) answer) error {
	requests := bufio.NewReader(in)
	var s settings
	if err := readJSON(requests, &s); err != nil {
		return fmt.Errorf("read the settings (only moderator starts this command): %w", err)
	}
	shared := os.NewFile(memoryFD, "shared memory")
	memory, err := mapMemory(shared, s.Request)
	if err != nil {
		return err
	}
	if err := errors.Join(shared.Close(), imaging.Start()); err != nil {
		return err
	}
	debug.SetMemoryLimit(s.MaxMemory / 2) // codecs need the other half
	debug.SetGCPercent(rareGC)
	endWithCPULimit()
	hello, err := confine(s)
	if err != nil {
		return fmt.Errorf("confine the decode worker: %w", err)
	}
	if err := writeJSON(out, hello); err != nil {
		return err
	}
	for {
		length, err := readLength(requests, s.Request.Limits.MaxBytes)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read a request: %w", err)
		}
		if err := limitCPU(s.CPUTime); err != nil {
			return fmt.Errorf("limit CPU time: %w", err)
		}
		if err := writeAnswer(out, decode(memory.file[:length:length], memory.pixels, s.Request)); err != nil {
			return err
		}
	}
}

func decode(file, pixels []byte, request imaging.Request) answer {
	request.Into = pixels
	result, err := imaging.Decode(file, request)
	if err != nil {
		return failure(err)
	}
	a, err := pack(result, pixels)
	if err != nil {
		return failure(err)
	}
	return a
}

// endWithCPULimit ends the process at its limit of CPU time. The Go runtime would ignore the signal.
func endWithCPULimit() {
	spent := make(chan os.Signal, 1)
	signal.Notify(spent, syscall.SIGXCPU)
	go func() {
		<-spent
		fmt.Fprintln(os.Stderr, "the CPU time for one picture is used up")
		os.Exit(1)
	}()
}
