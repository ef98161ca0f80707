package sandbox

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"moderator/internal/imaging"
)

// process is one worker, in use by one goroutine at a time.
type process struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	stderr *tail
	served int
	hello  greeting
}

// start runs the command as a worker and hears its greeting.
func start(o Options) (*process, error) {
	cmd := exec.Command(o.Command[0], o.Command[1:]...)
	cmd.Env = []string{"LC_ALL=C.UTF-8", "VIPS_CONCURRENCY=1"} // no secrets of ours
	cmd.SysProcAttr = dieWithParent()
	p := &process{cmd: cmd, stderr: &tail{}}
	cmd.Stderr = p.stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	widen(in)
	widen(out)
	p.in, p.out = in, bufio.NewReaderSize(out, 64<<10)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start a decode worker: %w", err)
	}
	err = writeJSON(p.in, settings{Request: o.Request, MaxMemory: o.MaxMemory, CPUTime: int64(o.CPUTime / time.Second)})
	if err == nil {
		err = readJSON(p.out, &p.hello)
	}
	if err != nil {
		return nil, fmt.Errorf("start a decode worker: %w: %s", err, p.kill())
	}
	return p, nil
}

// decode has one picture decoded. With broken the worker is of no further use and is gone; err says how it ended.
func (p *process) decode(data []byte, o Options) (result *imaging.Result, broken bool, err error) {
	p.served++
	timedOut := false
	var once sync.Mutex
	timer := time.AfterFunc(o.Timeout, func() {
		once.Lock()
		defer once.Unlock()
		timedOut = true
		_ = p.cmd.Process.Kill()
	})
	err = writeFrame(p.in, data)
	if err == nil {
		result, err = readResult(p.out, o.Request)
	}
	timer.Stop()
	once.Lock()
	defer once.Unlock()
	if isAnswer(err) && !timedOut {
		return result, false, err
	}
	how := p.kill()
	if timedOut {
		how = fmt.Sprintf("no answer within %v", o.Timeout)
	}
	return nil, true, errors.New(how)
}

// isAnswer says whether the worker answered in full, be it with an error.
func isAnswer(err error) bool {
	var file *fault
	var installation *installationError
	return err == nil || errors.As(err, &file) || errors.As(err, &installation)
}

// kill ends the worker, if it has not ended, and says how it did.
func (p *process) kill() string {
	_ = p.in.Close()
	_ = p.cmd.Process.Kill()
	err := p.cmd.Wait()
	if last := p.stderr.firstLine(); last != "" {
		return fmt.Sprintf("%v: %s", err, last)
	}
	return fmt.Sprint(err)
}

// stop lets the worker end by itself.
func (p *process) stop() {
	_ = p.in.Close()
	timer := time.AfterFunc(time.Second, func() { _ = p.cmd.Process.Kill() })
	defer timer.Stop()
	_ = p.cmd.Wait() // however it ends, it is gone
}

// tail keeps the beginning of what a worker says on stderr: a crash names its cause first.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(data []byte) (int, error) {
	const most = 4 << 10
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, data[:min(len(data), most-len(t.text))]...)
	return len(data), nil
}

func (t *tail) firstLine() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	line, _, _ := strings.Cut(strings.TrimSpace(string(t.text)), "\n")
	return line
}

// Self is the command that starts this binary as a worker.
func Self() ([]string, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find our own binary for the decode workers: %w", err)
	}
	return []string{path, Argument}, nil
}
