package main

import (
	"bytes"
	"context"
	"fmt"
	"image/jpeg"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/nats-io/nats.go"

	"moderator/internal/synth"
)

const (
	flagCount  = 100
	flagWidth  = 640
	flagHeight = 480
	blocked    = "decisions.block"
)

// flags measures the time from the return of `flagctl add` until the decision that blocks the next upload of the picture.
func (b *bench) flags(ctx context.Context) error {
	m := b.models[len(b.models)-1]
	p, err := b.startModerator(ctx, m)
	if err != nil {
		return err
	}
	defer p.stop()
	decisions := make(chan *nats.Msg, 16)
	subscription, err := b.servers.nc.ChanSubscribe("decisions.>", decisions)
	if err != nil {
		return err
	}
	defer func() { _ = subscription.Unsubscribe() }()
	ms := make([]float64, flagCount)
	hits := 0
	for i := range ms {
		data, err := b.addFlag(ctx, p, i)
		if err != nil {
			return err
		}
		returned := time.Now()
		if _, err := b.servers.js.Publish(ctx, "uploads.bench", data); err != nil {
			return err
		}
		select {
		case msg := <-decisions:
			ms[i] = time.Since(returned).Seconds() * 1000
			if msg.Subject == blocked {
				hits++
			}
		case <-time.After(time.Minute):
			return fmt.Errorf("an upload has no decision after a minute: moderator's log is %s", p.log)
		}
	}
	p50, p99 := percentile(ms, 50), percentile(ms, 99)
	b.report.add("flag_to_block_ms", field{"p50", p50}, field{"p99", p99}, field{"flags", flagCount}, field{"blocked", hits})
	b.report.below("flag_to_block_ms p99", p99, 50)
	b.report.atLeast("uploads blocked right after their flag", float64(hits), flagCount)
	return nil
}

// addFlag flags a new picture with `flagctl add` and returns its file.
func (b *bench) addFlag(ctx context.Context, p *moderator, i int) ([]byte, error) {
	var file bytes.Buffer
	if err := jpeg.Encode(&file, synth.Draw(drawSeed+1, i, flagWidth, flagHeight), nil); err != nil {
		return nil, err
	}
	path := filepath.Join(b.dir, "flag.jpg")
	if err := os.WriteFile(path, file.Bytes(), 0o644); err != nil {
		return nil, err
	}
	m := b.models[len(b.models)-1]
	add := exec.CommandContext(ctx, filepath.Join(b.Bin, "flagctl"), "--data-dir", p.dataDir, "--model", m.dir, "--as", "bench", "add", path)
	if said, err := add.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("flagctl add: %w\n%s", err, said)
	}
	return file.Bytes(), nil
}

// percentile is the smallest value that p percent of the values do not exceed.
func percentile(values []float64, p int) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[max(0, (len(sorted)*p+99)/100-1)]
}
