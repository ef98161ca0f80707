package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"moderator/internal/transforms"
	"moderator/tools/internal/embedded"
)

// liveTolerance is how far the running system's recall may be from what the grids say.
const liveTolerance = 0.01

// live flags all originals in a running moderator, sends the sample's edits as uploads, and counts what is blocked, beside
// what is measured here by the evidence.
func (o options) live(ctx context.Context, r *result, c *collection, stdout io.Writer) (err error) {
	flags := []string{"--console", "off"}
	if o.Model != "" {
		flags = append(flags, "--model", o.Model)
	}
	m, err := embedded.Start(ctx, o.Bin, flags...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Stop()) }()
	if err := o.flagAll(ctx, c, m); err != nil {
		return err
	}
	blocked, err := decided(ctx, m.State.NATSURL, c, r.queries, progress(stdout, "decided"))
	if err != nil {
		return err
	}
	return r.compareLive(stdout, blocked)
}

// flagAll flags the originals with flagctl, as a moderator would.
func (o options) flagAll(ctx context.Context, c *collection, m *embedded.Moderator) error {
	folder := filepath.Join(m.Dir(), "flagged")
	if err := os.Mkdir(folder, 0o755); err != nil {
		return err
	}
	for i, picture := range c.originals {
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%05d_%s", i, picture.name)), picture.file, 0o644); err != nil {
			return err
		}
	}
	args := []string{"--as", "quality", "add", folder}
	if o.Model != "" {
		args = append([]string{"--model", o.Model}, args...)
	}
	_, err := m.Flagctl(ctx, args...)
	return err
}

// decided publishes the queries and tells which of them are blocked.
func decided(ctx context.Context, natsURL string, c *collection, queries []answered, done func(done, all int)) ([]bool, error) {
	nc, err := nats.Connect(natsURL)
	if err != nil {
		return nil, err
	}
	defer nc.Close()
	js, err := jetstream.New(nc, jetstream.WithPublishAsyncMaxPending(64))
	if err != nil {
		return nil, err
	}
	decisions, err := js.OrderedConsumer(ctx, "DECISIONS", jetstream.OrderedConsumerConfig{})
	if err != nil {
		return nil, err
	}
	published := make(chan error, 1)
	go func() { published <- publish(ctx, js, c, queries) }()

	blocked := make([]bool, len(queries))
	messages, err := decisions.Messages()
	if err != nil {
		return nil, err
	}
	defer messages.Stop()
	for n := 1; n <= len(queries); n++ {
		msg, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return nil, err
		}
		var e struct {
			Subject string
			Data    struct{ Verdict string }
		}
		if err := json.Unmarshal(msg.Data(), &e); err != nil {
			return nil, err
		}
		i, err := strconv.Atoi(e.Subject)
		if err != nil || i < 0 || i >= len(queries) {
			return nil, fmt.Errorf("a decision on %q, which was not uploaded", e.Subject)
		}
		blocked[i] = e.Data.Verdict == "block"
		done(n, len(queries))
	}
	return blocked, <-published
}

func publish(ctx context.Context, js jetstream.JetStream, c *collection, queries []answered) error {
	for i, q := range queries {
		file, err := c.upload(q.query)
		if err != nil {
			return err
		}
		msg := nats.NewMsg("uploads.quality")
		msg.Data = file
		msg.Header.Set(nats.MsgIdHdr, strconv.Itoa(i))
		if _, err := js.PublishMsgAsync(msg); err != nil {
			return err
		}
	}
	select {
	case <-js.PublishAsyncComplete():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// compareLive prints both recalls. It is an error where they are further apart than the tolerance.
func (r *result) compareLive(stdout io.Writer, blocked []bool) error {
	asked, live, predicted := map[string]float64{}, map[string]float64{}, map[string]float64{}
	differ := 0
	m := r.method(shipped)
	for i, q := range r.queries {
		if q.twin {
			continue
		}
		want := false
		for _, score := range m.grid.row(i) {
			want = want || score >= m.threshold
		}
		if want != blocked[i] {
			differ++
		}
		for _, group := range []string{string(q.edit.Group), "all"} {
			asked[group]++
			if blocked[i] {
				live[group]++
			}
			if want {
				predicted[group]++
			}
		}
	}
	worst := 0.0
	fmt.Fprintf(stdout, "live: uploads=%.0f differ=%d", asked["all"], differ)
	for _, group := range append(transforms.Groups(), "all") {
		g := string(group)
		fmt.Fprintf(stdout, " %s=%.3f/%.3f", g, live[g]/asked[g], predicted[g]/asked[g])
		worst = max(worst, math.Abs(live[g]-predicted[g])/asked[g])
	}
	fmt.Fprintln(stdout, " (blocked/predicted)")
	if worst > liveTolerance {
		return fmt.Errorf("the running moderator's recall is %.3f from what was measured, wanted at most %.2f", worst, liveTolerance)
	}
	return nil
}
