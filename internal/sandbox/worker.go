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

// Argument is the hidden command that makes our binary a worker.
const Argument = "decode-worker"

// memoryFD is where a worker finds the shared memory: the first descriptor after stderr.
const memoryFD = 3

// Work is a worker process's whole life: it reads its settings from in, confines itself, says so on out, and decodes
// until in is closed.
func Work(in *os.File, out io.Writer) error {
	questions, err := polled(in)
	if err != nil {
		return err
	}
	return work(questions, out, decode)
}

// polled lets the Go runtime wait for the file with its poller. After a read that blocks its thread for 10 ms the runtime
// looks 50 times in a millisecond whether it has to step in, which takes as much CPU time as a tenth of a small picture.
func polled(file *os.File) (*os.File, error) {
	fd := file.Fd()
	if err := syscall.SetNonblock(int(fd), true); err != nil {
		return nil, fmt.Errorf("wait for %s without blocking: %w", file.Name(), err)
	}
	return os.NewFile(fd, file.Name()), nil
}

// rareGC is GOGC of a worker: a picture's garbage is small beside its memory limit, which is what starts a collection else.
const rareGC = 400

// work is Work with another way to answer.
func work(in io.Reader, out io.Writer, decode func(file, pixels []byte, r imaging.Request) answer) error {
	questions := bufio.NewReader(in)
	var s settings
	if err := readJSON(questions, &s); err != nil {
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
		return fmt.Errorf("confine the decoder: %w", err)
	}
	if err := writeJSON(out, hello); err != nil {
		return err
	}
	for {
		length, err := readLength(questions, s.Request.Limits.MaxBytes)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read a question: %w", err)
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

// endWithCPULimit ends the process at its limit of CPU time; the Go runtime lets that signal pass.
func endWithCPULimit() {
	spent := make(chan os.Signal, 1)
	signal.Notify(spent, syscall.SIGXCPU)
	go func() {
		<-spent
		fmt.Fprintln(os.Stderr, "the CPU time for one picture is used up")
		os.Exit(1)
	}()
}
