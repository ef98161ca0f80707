package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// progress prints events with their time, and counts faults.
type progress struct {
	mu    sync.Mutex
	w     io.Writer
	began time.Time
	bads  int
}

func newProgress(w io.Writer) *progress { return &progress{w: w, began: time.Now()} }

func (p *progress) say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.w, "%7.1f s  %s\n", time.Since(p.began).Seconds(), fmt.Sprintf(format, args...))
}

// bad prints a fault, which fails the run even if all decisions are right.
func (p *progress) bad(format string, args ...any) {
	p.say("FAULT: "+format, args...)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bads++
}

func (p *progress) faults() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bads
}
