package consumer

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"moderator/internal/event"
)

// Each case is a row of the package's outcome table.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		data    string
		headers []string
		prepare func(*fakes)
		verdict event.Verdict
		reason  event.Reason
		detail  string
	}{
		"near no flag":        {data: "plain", verdict: event.Allow, reason: event.NoMatch},
		"near a flag":         {data: "flagged", verdict: event.Block, reason: event.Match},
		"cannot be decoded":   {data: "bad", verdict: event.Review, reason: event.Undecodable, detail: "no picture"},
		"no vector":           {data: "zero", verdict: event.Review, reason: event.Undecodable, detail: "no usable vector"},
		"empty":               {data: "", verdict: event.Review, reason: event.Undecodable, detail: "empty"},
		"too large":           {data: strings.Repeat("x", 1<<20+1), verdict: event.Review, reason: event.TooLarge, detail: "1048577 bytes"},
		"malformed reference": {data: "{", headers: []string{"Content-Type", "application/json"}, verdict: event.Review, reason: event.Undecodable, detail: "not a JSON object"},
		"not found":           {data: `{"url":"https://gone.example/"}`, headers: []string{"Content-Type", "application/json"}, verdict: event.Review, reason: event.FetchFailed, detail: "404"},
		"fetch keeps failing": {data: `{"url":"https://down.example/"}`, headers: []string{"Content-Type", "application/json"}, verdict: event.Review, reason: event.RetriesExhausted, detail: "503"},
		"database fails once": {data: "flagged", prepare: func(j *fakes) { j.matchFails.Store(1) }, verdict: event.Block, reason: event.Match},
		"its match always fails, and it cannot be decoded": {data: "bad", prepare: func(j *fakes) { j.matchFails.Store(100) }, verdict: event.Review, reason: event.RetriesExhausted, detail: "connection refused"},
		"its match always fails":                           {data: "poison", verdict: event.Review, reason: event.RetriesExhausted, detail: "match failed 3 times, the last time: a query that fails"},
		"device fails twice":                               {data: "plain", prepare: func(j *fakes) { j.embedFails.Store(2) }, verdict: event.Allow, reason: event.NoMatch},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, nil)
			if test.prepare != nil {
				test.prepare(h.fakes)
			}
			h.publish(test.data, test.headers...)
			stop := h.start()
			d := h.decisions(1)[0]
			require.Equal(t, test.verdict, d.Data.Verdict)
			require.Equal(t, test.reason, d.Data.Reason)
			require.Contains(t, d.Data.Detail, test.detail)
			require.Equal(t, fmt.Sprintf("UPLOADS:1:%d", d.Data.Upload.Stored.UnixNano()), d.ID)
			require.WithinDuration(t, time.Now(), d.Data.Upload.Stored, time.Hour)
			require.Equal(t, event.ModelInfo{Name: "test", Fingerprint: "f00d"}, d.Data.Model)
			h.settled()
			require.NoError(t, stop())
		})
	}
}

// A flagged file is blocked by its hash, even if it is undecodable or has no vector.
func TestFlaggedFileWithoutFeatures(t *testing.T) {
	t.Parallel()
	for _, data := range []string{"bad known file", "zero known file"} {
		t.Run(data, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, nil)
			h.fakes.matchFails.Store(1)
			h.publish(data)
			h.start()
			d := h.decisions(1)[0].Data
			require.Equal(t, []any{event.Block, event.Match, event.SignalExact}, []any{d.Verdict, d.Reason, d.Signal})
			require.Equal(t, []string{"f2", "files"}, []string{d.Match.FlaggedID, d.Match.Bank})
			require.Len(t, d.Matches, 1)
			h.settled()
		})
	}
}

// A bank in shadow is reported and counted, and its matches decide nothing.
func TestShadowIsCounted(t *testing.T) {
	t.Parallel()
	h := newHarness(t, nil)
	for _, data := range []string{"plain in shadow", "flagged in shadow", "bad in shadow"} {
		h.publish(data)
	}
	c, _ := h.startConsumer()
	var verdicts []event.Verdict
	for _, d := range h.decisions(3) {
		verdicts = append(verdicts, d.Data.Verdict)
		require.Len(t, d.Data.Shadow, 1)
		require.Equal(t, []any{"trial", event.Block}, []any{d.Data.Shadow[0].Bank, d.Data.Shadow[0].Verdict})
	}
	require.ElementsMatch(t, []event.Verdict{event.Allow, event.Block, event.Review}, verdicts)
	h.settled()
	require.EqualValues(t, 3, testutil.ToFloat64(c.metrics.shadow.WithLabelValues("trial", "block")))
}

// What a flag blocks is counted once an upload, and nothing else is.
func TestBlocksAreCounted(t *testing.T) {
	t.Parallel()
	h := newHarness(t, nil)
	for _, data := range []string{"flagged", "flagged too", "plain", "bad", "plain known file", "bad known file", "plain in shadow"} {
		h.publish(data)
	}
	h.start()
	h.decisions(7)
	h.settled()
	require.Equal(t, []int64{2, 2, 0}, []int64{h.fakes.blocked("f1"), h.fakes.blocked("f2"), h.fakes.blocked("f3")})
}

// An upload that fails leaves the others of its batch unaffected.
func TestFailuresArePerUpload(t *testing.T) {
	t.Parallel()
	h := newHarness(t, func(c *Config) { c.BatchSize = 32 })
	for i := range 40 {
		h.publish([]string{"plain", "flagged", "bad", "zero"}[i%4] + fmt.Sprint(i))
	}
	h.start()
	reasons := map[event.Reason]int{}
	for _, d := range h.decisions(40) {
		reasons[d.Data.Reason]++
	}
	require.Equal(t, map[event.Reason]int{event.NoMatch: 10, event.Match: 10, event.Undecodable: 20}, reasons)
	require.EqualValues(t, 40, h.fakes.decodes.Load(), "each is decoded once")
}

// A shutdown finishes the uploads in flight and leaves the rest for others.
func TestDrain(t *testing.T) {
	t.Parallel()
	h := newHarness(t, nil)
	h.fakes.gate = make(chan struct{})
	for range 6 {
		h.publish("slow")
	}
	c := h.consumer()
	ctx, shutDown := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- c.Run(ctx) }()
	require.Eventually(t, func() bool { return h.fakes.decodes.Load() == 2 }, waitLong, time.Millisecond, "both workers are busy")
	shutDown()
	close(h.fakes.gate)
	require.NoError(t, <-stopped)
	decided := h.count(event.DecisionsStream)
	require.GreaterOrEqual(t, decided, 2, "the uploads in flight are decided")

	h.start()
	h.decisions(6)
	h.settled()
}

// When the drain time is over, uploads in flight are nak'd, so that they do not wait for the ack wait.
func TestDrainTimeIsBounded(t *testing.T) {
	t.Parallel()
	h := newHarness(t, func(c *Config) { c.DrainTime = 50 * time.Millisecond; c.AckWait = time.Minute })
	h.fakes.gate = make(chan struct{})
	for range 3 {
		h.publish("slow")
	}
	stop := h.start()
	require.Eventually(t, func() bool { return h.fakes.decodes.Load() == 2 }, waitLong, time.Millisecond)
	require.NoError(t, stop())
	require.Zero(t, h.count(event.DecisionsStream))
	h.fakes.gate = nil
	h.start()
	h.decisions(3)
}

// extensions is a durable that counts how often the ack wait of its messages is extended.
type extensions struct {
	jetstream.Consumer
	count *atomic.Int64
}

func (e extensions) Consume(handle jetstream.MessageHandler, options ...jetstream.PullConsumeOpt) (jetstream.ConsumeContext, error) {
	return e.Consumer.Consume(func(msg jetstream.Msg) { handle(extendedMsg{msg, e.count}) }, options...)
}

type extendedMsg struct {
	jetstream.Msg
	count *atomic.Int64
}

func (m extendedMsg) InProgress() error {
	m.count.Add(1)
	return m.Msg.InProgress()
}

// An upload that takes longer than the ack wait is kept alive and decided once.
func TestLongWorkIsKeptAlive(t *testing.T) {
	t.Parallel()
	h := newHarness(t, nil)
	var extended atomic.Int64
	h.durable = extensions{h.durable, &extended}
	h.fakes.gate = make(chan struct{})
	h.publish("slow")
	h.start()
	const longerThanAckWait = 5 // extensions, one in each third of the ack wait
	require.Eventually(t, func() bool { return extended.Load() >= longerThanAckWait }, waitLong, waitStep)
	close(h.fakes.gate)
	h.decisions(1)
	h.settled()
	require.EqualValues(t, 1, h.fakes.decodes.Load(), "no redelivery")
}

// Two consumers on one durable share the work and decide each upload once.
func TestReplicasShareTheDurable(t *testing.T) {
	t.Parallel()
	h := newHarness(t, nil)
	h.start()
	h.start()
	for i := range 100 {
		h.publish(fmt.Sprint("plain", i))
	}
	seen := map[string]bool{}
	for _, d := range h.decisions(100) {
		require.False(t, seen[d.ID], "%s was decided twice", d.ID)
		seen[d.ID] = true
	}
}

// An upload whose deliveries are neither acked nor nak'd (decoding it kills the process) is decided without being decoded.
func TestPoisonIsDecidedWithoutDecoding(t *testing.T) {
	t.Parallel()
	h := newHarness(t, func(c *Config) { c.AckWait = 1100 * time.Millisecond; c.Budget = time.Second; c.Attempts = 2 })
	h.publish("plain")
	for range 2 { // neither acked nor nak'd
		batch, err := h.durable.Fetch(1, jetstream.FetchMaxWait(5*time.Second))
		require.NoError(t, err)
		require.NotNil(t, <-batch.Messages())
	}
	h.start()
	d := h.decisions(1)[0]
	require.Equal(t, event.RetriesExhausted, d.Data.Reason)
	require.Zero(t, h.fakes.decodes.Load())
}
