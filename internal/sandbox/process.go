package sandbox

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"moderator/internal/imaging"
)

// process is one worker, in use by one goroutine at a time.
type process struct {
	options  Options
	cmd      *exec.Cmd
	requests *os.File
	answers  *os.File
	reader   *bufio.Reader // of answers
	memory   *memory
	stderr   head
	hello    greeting
	served   int           // pictures
	statm    *os.File      // /proc/<pid>/statm
	newSize  int64         // dataSize before the first picture, in bytes
	killed   bool          // by a SIGKILL from outside
	exited   chan struct{} // closed when the process was reaped
}

// startTime bounds how long a worker may take to start, even on a busy machine.
const startTime = 2 * time.Minute

// exitTime bounds the wait for the exit status of a worker that closed its pipes.
const exitTime = 10 * time.Second

// startProcess starts a worker and waits for its greeting.
func startProcess(o Options) (*process, error) {
	p := &process{options: o, exited: make(chan struct{})}
	if err := p.launch(); err != nil {
		p.release()
		return nil, fmt.Errorf("start a decode worker: %w", err)
	}
	if err := p.greet(); err != nil {
		return nil, fmt.Errorf("start a decode worker with %q: %s", o.Command, p.kill(err))
	}
	return p, nil
}

// greet sends the settings and reads the greeting.
func (p *process) greet() (err error) {
	o := p.options
	_ = p.answers.SetReadDeadline(time.Now().Add(startTime)) // pipes have deadlines
	if err := writeJSON(p.requests, settings{Request: o.Request, MaxMemory: o.MaxMemory, CPUTime: int64(o.CPUTime / time.Second)}); err != nil {
		return err
	}
	if err := readJSON(p.reader, &p.hello); err != nil {
		return err
	}
	if p.statm, err = openStatm(p.cmd.Process.Pid); err != nil {
		return err
	}
	p.newSize, err = dataSize(p.statm)
	return err
}

// launch starts the process with its pipes and shared memory.
func (p *process) launch() (err error) {
	var theirs [3]*os.File // stdin, stdout, memory
	defer func() {
		for _, file := range theirs {
			_ = file.Close()
		}
	}()
	if theirs[0], p.requests, err = os.Pipe(); err != nil {
		return err
	}
	if p.answers, theirs[1], err = os.Pipe(); err != nil {
		return err
	}
	if theirs[2], p.memory, err = newMemory(p.options.Request); err != nil {
		return err
	}
	p.reader = bufio.NewReader(p.answers)
	command := p.options.Command
	p.cmd = exec.Command(command[0], command[1:]...)
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr, p.cmd.ExtraFiles = theirs[0], theirs[1], &p.stderr, theirs[2:]
	p.cmd.Env = p.options.env()
	p.cmd.SysProcAttr = dieWithParent()
	if err := startCommand(p.cmd); err != nil {
		return err
	}
	go func() { // ends with the process, at the latest by kill or stop
		_ = p.cmd.Wait() // the result is in p.cmd.ProcessState
		close(p.exited)
	}()
	return nil
}

// decode lets the worker decode one picture. result and err are those of imaging.Decode. If broken is not nil, there is no
// valid answer, and the worker must be killed.
func (p *process) decode(ctx context.Context, data []byte) (result *imaging.Result, err, broken error) {
	p.served++
	p.memory.put(data)
	defer p.memory.trim(len(data))
	watch := p.watch(ctx)
	a, err := p.request(len(data))
	if verdict := watch.end(); err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = verdict
		}
		return nil, nil, err
	}
	if a.Error != "" {
		return nil, a.fault(), nil
	}
	result, broken = a.unpack(p.options.Request, p.memory.pixels)
	return result, nil, broken
}

// request asks the worker to decode the first length bytes of the shared memory.
func (p *process) request(length int) (answer, error) {
	if err := writeLength(p.requests, length); err != nil {
		return answer{}, err
	}
	return readAnswer(p.reader)
}

// smallPicture is a number of pixels below which a picture grows a worker too little to check its size.
const smallPicture = 1 << 20

// isWorn reports whether to replace the worker: after Options.Recycle pictures, or if it has grown so much that the next
// picture might lack memory (the Go runtime keeps freed memory). result is nil if the picture failed.
func (p *process) isWorn(result *imaging.Result) bool {
	if p.served >= p.options.Recycle {
		return true
	}
	if result != nil && int64(result.Width)*int64(result.Height)*int64(result.FrameCount) < smallPicture {
		return false
	}
	size, err := dataSize(p.statm) // an error means that it has ended, which hasEnded finds
	return err == nil && size > p.newSize+p.options.MaxMemory/4
}

// hasEnded reports whether the process has ended. It may end right after the call.
func (p *process) hasEnded() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

// kill kills the worker and returns how it had ended, or else why it was killed.
func (p *process) kill(why error) string {
	if isEnd(why) {
		select {
		case <-p.exited:
			p.killed = p.cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL
		case <-time.After(exitTime):
		}
	}
	_ = p.cmd.Process.Kill()
	<-p.exited
	p.release()
	how := why.Error()
	if isEnd(why) {
		how = p.cmd.ProcessState.String() // it had ended by itself
	}
	if line := p.stderr.firstLine(); line != "" {
		how += ": " + line
	}
	return how
}

// isEnd reports whether an error of the pipes means that the worker has closed them.
func isEnd(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.EPIPE)
}

// isPicturesFault reports, after kill, whether the picture caused the worker's death. SIGKILL comes from a person or from a
// kernel without free memory, a stop from a person.
func (p *process) isPicturesFault(why error) bool {
	var stopped *stoppedError
	return !p.killed && !errors.As(why, &stopped)
}

// stop asks the worker to exit, and kills it after a second.
func (p *process) stop() {
	_ = p.requests.Close()
	timer := time.AfterFunc(time.Second, func() { _ = p.cmd.Process.Kill() })
	<-p.exited
	timer.Stop()
	p.release()
}

// release closes the parent's descriptors and unmaps the memory.
func (p *process) release() {
	for _, file := range []*os.File{p.requests, p.answers, p.statm} {
		_ = file.Close() // for a nil file, after launch has failed, it only returns an error
	}
	p.memory.close()
}
