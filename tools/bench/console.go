package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"moderator/internal/endpoint"
)

const (
	consoleToken = "a token of the benchmark"
	consoleTurns = 4 // of four measurements each: closed, open, open, closed, so that the machine's drift meets both
	consoleSize  = "0.17mp"
)

// console measures the cost of an open Live page: the ratio of the speeds with the page open and closed. It uploads small
// pictures through the shipped model, which gives the most decisions a second.
func (b *bench) console(ctx context.Context) error {
	m := b.models[len(b.models)-1]
	if err := b.servers.fill(ctx, m.fingerprint, m.dims, libraryFlags); err != nil {
		return err
	}
	p, err := b.startModerator(ctx, m, "--console", "on", "--console-listen", "127.0.0.1:0", "--console-token", consoleToken)
	if err != nil {
		return err
	}
	defer p.stop()
	var files [][]byte
	for _, size := range b.pictures {
		if size.name == consoleSize {
			files = size.files
		}
	}
	first, err := b.servers.measure(ctx, p.flow(), files, fewest)
	if err != nil {
		return err
	}
	n := max(fewest, int(first.perSecond*b.Time.Seconds()/2))
	var open, closed []figure
	for range consoleTurns {
		for _, watched := range []bool{false, true, true, false} {
			into, measure := &closed, b.servers.measure
			if watched {
				into, measure = &open, p.whileWatched(b.servers)
			}
			f, err := measure(ctx, p.flow(), files, n)
			if err != nil {
				return err
			}
			*into = append(*into, f.figure)
		}
	}
	watched, over := medians(open), ratio(open, closed)
	b.report.add("console_open", field{"", over.perSecond}, field{"model", m.name}, field{"size", consoleSize},
		field{"images_per_s", watched.perSecond}, field{"images_per_cpu_s", watched.perCPU}, field{"per_cpu", over.perCPU})
	b.report.atLeast("console_open", over.perSecond, 0.98)
	b.report.atLeast("console_open per_cpu", over.perCPU, 0.98)
	return nil
}

// whileWatched measures with the Live page open, and checks that the page received every decision.
func (p *moderator) whileWatched(s *servers) func(context.Context, flow, [][]byte, int) (measured, error) {
	return func(ctx context.Context, f flow, files [][]byte, n int) (m measured, err error) {
		page, err := p.openLive(ctx)
		if err != nil {
			return m, err
		}
		defer page.leave()
		if m, err = s.measure(ctx, f, files, n); err != nil {
			return m, err
		}
		ctx, cancel := context.WithTimeoutCause(ctx, 10*time.Second, fmt.Errorf("the Live page received %d of %d decisions", page.received.Load(), n))
		defer cancel()
		return m, poll(ctx, 50*time.Millisecond, func() (bool, error) { return page.received.Load() >= int64(n), nil })
	}
}

// livePage is an open Live page, without a browser.
type livePage struct {
	received atomic.Int64 // decisions that it lists or counts, since it was opened
	leave    context.CancelFunc
}

// openLive opens the page, and returns when it has received the earlier decisions.
func (p *moderator) openLive(ctx context.Context) (*livePage, error) {
	state, err := endpoint.ReadState(p.dataDir)
	if err != nil {
		return nil, err
	}
	address, err := url.Parse(state.ConsoleURL)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	page := &livePage{leave: cancel}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address.Host+"/live/events", nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+consoleToken)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the console answers %s", answer.Status)
	}
	opened := make(chan struct{})
	go page.read(answer, opened)
	select {
	case <-opened:
		return page, nil
	case <-time.After(10 * time.Second):
		cancel()
		return nil, fmt.Errorf("the Live page stays empty: moderator's log is %s", p.log)
	}
}

// read counts decisions until the page is closed. The first event holds earlier decisions.
func (l *livePage) read(answer *http.Response, opened chan<- struct{}) {
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 1<<20)
	first := true
	for lines.Scan() {
		data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data: "))
		if !ok {
			continue
		}
		var news struct {
			Rows   []json.RawMessage `json:"rows"`
			Missed int               `json:"missed"`
		}
		if err := json.Unmarshal(data, &news); err != nil {
			return // a missing decision is found by its number
		}
		if first {
			first = false
			close(opened)
			continue
		}
		l.received.Add(int64(len(news.Rows) + news.Missed))
	}
}
