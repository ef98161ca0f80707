package flagctl

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// meter shows progress: on a terminal a bar with rate and time left, elsewhere a line every meterEvery. It is safe for
// concurrent use.
type meter struct {
	mu      sync.Mutex
	out     io.Writer
	what    string                   // the work's name
	bar     *progressbar.ProgressBar // nil without a terminal
	start   time.Time
	last    time.Time // when the last line was written
	flags   int
	at, all int64 // bytes or blocks; all is 0 if unknown
}

// meterEvery is how often a meter without a terminal writes a line.
const meterEvery = 10 * time.Second

func newMeter(out io.Writer, what string, all int64) *meter {
	now := time.Now()
	m := &meter{out: out, what: what, start: now, last: now, all: all}
	if file, ok := out.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		m.bar = progressbar.NewOptions64(max(all, 1), progressbar.OptionSetWriter(out), progressbar.OptionSetDescription(what),
			progressbar.OptionSetPredictTime(all > 0), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))
	}
	return m
}

// reach sets the progress: at of all.
func (m *meter) reach(at, all int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at, m.all = at, all
	m.show()
}

// add counts stored flags.
func (m *meter) add(flags int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.flags += flags
	m.show()
}

// say writes a line above the bar.
func (m *meter) say(text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.bar != nil {
		_ = m.bar.Clear()
	}
	fmt.Fprintln(m.out, text)
}

func (m *meter) finish() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.bar != nil {
		_ = m.bar.Finish()
	}
}

func (m *meter) show() {
	text := m.what
	if m.flags > 0 {
		text += fmt.Sprintf(": %d flags, %.0f a second", m.flags, float64(m.flags)/time.Since(m.start).Seconds())
	}
	if m.bar != nil {
		m.bar.ChangeMax64(max(m.all, 1))
		m.bar.Describe(text)
		_ = m.bar.Set64(min(m.at, max(m.all-1, 0))) // a full bar would end before finish
		return
	}
	if time.Since(m.last) < meterEvery {
		return
	}
	m.last = time.Now()
	if done := float64(m.at) / float64(max(m.all, 1)); m.all > 0 && done > 0 {
		left := time.Duration(float64(time.Since(m.start)) * (1 - done) / done)
		text += fmt.Sprintf(", %.0f %%, about %v left", 100*done, left.Round(time.Second))
	}
	fmt.Fprintln(m.out, text)
}
