package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/systeminfo"
	"github.com/chromedp/chromedp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"moderator/internal/event"
	"moderator/tools/internal/embedded"
)

const (
	perMinute   = 10_000
	leastFrames = 30 // frames a second
)

// countFrames makes the page count its frames of each second.
const countFrames = `(() => {
	window.frames = []; let count = 0, since = performance.now();
	const frame = (now) => {
		count++;
		if (now - since >= 1000) { window.frames.push(1000 * count / (now - since)); count = 0; since = now; }
		requestAnimationFrame(frame);
	};
	requestAnimationFrame(frame);
})()`

// underLoad opens the Live page, publishes perMinute decisions, and counts the frames that the page draws.
func underLoad(ctx context.Context, b *browser, m *embedded.Moderator, s *seeded, o options, stdout io.Writer) error {
	if err := b.look(1920, "light"); err != nil {
		return err
	}
	if err := b.do(chromedp.Navigate(base(m.State.ConsoleURL)+"/live"), until(`document.querySelectorAll('#rows tr').length > 20`)); err != nil {
		return err
	}
	published := make(chan result, 1)
	before, err := b.usage()
	if err != nil {
		return err
	}
	began := time.Now()
	go func() { published <- s.decisions(ctx, o.Load) }()
	if err := b.do(chromedp.Evaluate[chromedp.Void](countFrames)); err != nil {
		return err
	}
	sent := <-published
	if sent.err != nil {
		return sent.err
	}
	took := time.Since(began)
	after, err := b.usage()
	if err != nil {
		return err
	}
	frames, err := evaluate(b, chromedp.Evaluate[[]float64](`window.frames`))
	if err != nil {
		return err
	}
	rows, err := evaluate(b, chromedp.Evaluate[int](`document.querySelectorAll('#rows tr').length`))
	if err != nil {
		return err
	}
	if err := b.shoot(o.Out, "live-under-load"); err != nil {
		return err
	}
	mean, least := 0.0, 1e9
	for _, f := range frames {
		mean, least = mean+f/float64(len(frames)), min(least, f)
	}
	fmt.Fprintf(stdout, "e2e: live decisions_per_minute=%.0f seconds=%.0f frames_per_second=%.1f slowest_second=%.1f rows=%d browser_cpu=%s\n",
		float64(sent.count)/took.Minutes(), took.Seconds(), mean, least, rows, after.since(before, took))
	if mean < leastFrames {
		return fmt.Errorf("the Live page draws %.1f frames a second, wanted %d or more", mean, leastFrames)
	}
	return b.wrong()
}

// usage is the CPU seconds of the browser's processes, by type: renderer, GPU (which paints without a GPU, too), browser.
type usage map[string]float64

func (b *browser) usage() (usage, error) {
	info, err := chromedp.CallBrowser(b.ctx, systeminfo.GetProcessInfo, cdp.Empty{})
	u := usage{}
	for _, p := range info.ProcessInfo {
		u[p.Type] += p.CPUTime
	}
	return u, err
}

// since returns the use of each type since before, in percent of a core.
func (u usage) since(before usage, took time.Duration) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(u)) {
		words = append(words, fmt.Sprintf("%s:%.0f%%", strings.ToLower(name), 100*(u[name]-before[name])/took.Seconds()))
	}
	return strings.Join(words, ",")
}

type result struct {
	count int
	err   error
}

// decisions publishes decisions as moderator does, at an even rate.
func (s *seeded) decisions(ctx context.Context, length time.Duration) result {
	every := time.NewTicker(50 * time.Millisecond)
	defer every.Stop()
	began, count := time.Now(), 0
	for time.Since(began) < length {
		for wanted := int(time.Since(began).Minutes() * perMinute); count < wanted; count++ {
			if err := s.decision(count); err != nil {
				return result{count, err}
			}
		}
		select {
		case <-every.C:
		case <-ctx.Done():
			return result{count, ctx.Err()}
		}
	}
	select {
	case <-s.js.PublishAsyncComplete():
	case <-ctx.Done():
		return result{count, ctx.Err()}
	}
	return result{count, nil}
}

func (s *seeded) decision(i int) error {
	score := float64(i%100) / 100
	d := event.Decision{
		Verdict: event.Allow, Reason: event.NoMatch, Signal: event.SignalEmbedding, Score: &score, Similarity: &score,
		Upload: event.UploadInfo{ID: fmt.Sprintf("load-%07d", i), Subject: "uploads.load", Stream: "LOAD", Sequence: uint64(i + 1)},
		Timing: event.Milliseconds{Queue: 2, Decode: 9, Embed: 20 + float64(i%17), Match: 2, Total: 35 + float64(i%29)},
	}
	switch i % 20 {
	case 3, 9:
		match := event.MatchInfo{FlaggedID: "00000000-0000-0000-0000-000000000000", Bank: "spam", View: "original", Similarity: score, Score: score}
		d.Verdict, d.Reason, d.Match, d.Matches = event.Block, event.Match, &match, []event.MatchInfo{match}
	case 17:
		d.Verdict, d.Reason = event.Review, event.Undecodable
	}
	id, data, err := d.Encode(time.Now())
	if err != nil {
		return err
	}
	_, err = s.js.PublishMsgAsync(&nats.Msg{Subject: event.DecisionSubject(d.Verdict), Data: data}, jetstream.WithMsgID(id))
	return err
}
