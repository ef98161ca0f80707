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
	options   Options
	cmd       *exec.Cmd
	questions *os.File
	answers   *os.File
	reader    *bufio.Reader // of answers
	memory    *memory
	stderr    head
	hello     greeting
	served    int
	statm     *os.File      // of the worker
	newSize   int64         // its dataSize before its first picture
	killed    bool          // by SIGKILL, and not by us
	gone      chan struct{} // closed when the process has ended and was reaped
}

// startTime bounds how long a worker may take to say that it is ready, also on a busy machine.
const startTime = 2 * time.Minute

// lastWords bounds the wait for the end of a worker that closed its pipes, so that its exit status can be read.
const lastWords = 10 * time.Second

// startProcess starts the command as a worker and hears its greeting.
func startProcess(o Options) (*process, error) {
	p := &process{options: o, gone: make(chan struct{})}
	if err := p.launch(); err != nil {
		p.release()
		return nil, fmt.Errorf("start a decode worker: %w", err)
	}
	if err := p.greet(); err != nil {
		return nil, fmt.Errorf("start a decode worker with %q: %s", o.Command, p.kill(err))
	}
	return p, nil
}

// greet tells the worker its settings and hears what confines it.
func (p *process) greet() (err error) {
	o := p.options
	_ = p.answers.SetReadDeadline(time.Now().Add(startTime)) // pipes have deadlines
	if err := writeJSON(p.questions, settings{Request: o.Request, MaxMemory: o.MaxMemory, CPUTime: int64(o.CPUTime / time.Second)}); err != nil {
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

// launch starts the process with its pipes and its memory.
func (p *process) launch() (err error) {
	var theirs [3]*os.File // stdin, stdout, memory
	defer func() {
		for _, file := range theirs {
			_ = file.Close()
		}
	}()
	if theirs[0], p.questions, err = os.Pipe(); err != nil {
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
	go func() { // ends with the process, which kill and stop end
		_ = p.cmd.Wait() // how it ended stays in p.cmd.ProcessState
		close(p.gone)
	}()
	return nil
}

// decode has one picture decoded. With broken the worker is of no further use and has to be killed; else it answered,
// and result and err are those of imaging.Decode.
func (p *process) decode(ctx context.Context, data []byte) (result *imaging.Result, err, broken error) {
	p.served++
	p.memory.put(data)
	defer p.memory.trim(len(data))
	watch := p.watch(ctx)
	a, err := p.ask(len(data))
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

// ask has the file in the shared memory decoded.
func (p *process) ask(length int) (answer, error) {
	if err := writeLength(p.questions, length); err != nil {
		return answer{}, err
	}
	return readAnswer(p.reader)
}

// smallPicture is so few pixels that what a picture of them leaves behind is not worth a look at the worker's size.
const smallPicture = 1 << 20

// isWorn says whether to replace the worker after the picture, nil for one that failed: after so many pictures, or when
// what it has left behind (the Go runtime keeps what it was once given) would take the next one's memory.
func (p *process) isWorn(result *imaging.Result) bool {
	if p.served >= p.options.Recycle {
		return true
	}
	if result != nil && int64(result.Width)*int64(result.Height)*int64(result.FrameCount) < smallPicture {
		return false
	}
	size, err := dataSize(p.statm) // an error says that it has ended, for hasEnded to find
	return err == nil && size > p.newSize+p.options.MaxMemory/4
}

// hasEnded says whether the process is gone; one that was still alive when this was asked may end all the same.
func (p *process) hasEnded() bool {
	select {
	case <-p.gone:
		return true
	default:
		return false
	}
}

// kill ends the worker, if it has not ended, and says how it did, or else why it was killed.
func (p *process) kill(why error) string {
	if isEnd(why) {
		select {
		case <-p.gone:
			p.killed = p.cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL
		case <-time.After(lastWords):
		}
	}
	_ = p.cmd.Process.Kill()
	<-p.gone
	p.release()
	how := why.Error()
	if isEnd(why) {
		how = p.cmd.ProcessState.String() // it had ended already, and how is the news
	}
	if line := p.stderr.firstLine(); line != "" {
		how += ": " + line
	}
	return how
}

// isEnd says whether an error of the pipes means that the worker's ends are closed.
func isEnd(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.EPIPE)
}

// isPicturesFault says of a worker that kill has ended whether the picture is to blame. SIGKILL comes from a person, or from
// a kernel that is out of memory.
func (p *process) isPicturesFault(why error) bool {
	var stopped *stoppedError
	return !p.killed && !errors.As(why, &stopped)
}

// stop lets the worker end by itself.
func (p *process) stop() {
	_ = p.questions.Close()
	timer := time.AfterFunc(time.Second, func() { _ = p.cmd.Process.Kill() })
	<-p.gone
	timer.Stop()
	p.release()
}

// release gives the parent's ends back.
func (p *process) release() {
	for _, file := range []*os.File{p.questions, p.answers, p.statm} {
		_ = file.Close() // nil, where launch did not come so far, closes too
	}
	p.memory.close()
}
