package consumer

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"moderator/internal/event"
)

// A row of the outcome table each: what is published, what fails, and what is decided.
func TestOutcomes(t *testing.T) {
	tests := map[string]struct {
		data    string
		headers []string
		prepare func(*judges)
		verdict event.Verdict
		reason  event.Reason
		detail  string
	}{
		"near nothing":        {data: "plain", verdict: event.Allow, reason: event.NoMatch},
		"near a flag":         {data: "flagged", verdict: event.Block, reason: event.Match},
		"cannot be decoded":   {data: "bad", verdict: event.Review, reason: event.Undecodable, detail: "no picture"},
		"no vector":           {data: "zero", verdict: event.Review, reason: event.Undecodable, detail: "no vector"},
		"empty":               {data: "", verdict: event.Review, reason: event.Undecodable, detail: "empty"},
		"too large":           {data: strings.Repeat("x", 1<<20+1), verdict: event.Review, reason: event.TooLarge, detail: "1048577 bytes"},
		"malformed reference": {data: "{", headers: []string{"Content-Type", "application/json"}, verdict: event.Review, reason: event.Undecodable, detail: "not a JSON object"},
		"gone":                {data: `{"url":"https://gone.example/"}`, headers: []string{"Content-Type", "application/json"}, verdict: event.Review, reason: event.FetchFailed, detail: "404"},
		"fetch keeps failing": {data: `{"url":"https://down.example/"}`, headers: []string{"Content-Type", "application/json"}, verdict: event.Review, reason: event.RetriesExhausted, detail: "503"},
		"database fails once": {data: "flagged", prepare: func(j *judges) { j.matchFails.Store(1) }, verdict: event.Block, reason: event.Match},
		"its match always fails, and it cannot be decoded": {data: "bad", prepare: func(j *judges) { j.matchFails.Store(100) }, verdict: event.Review, reason: event.RetriesExhausted, detail: "connection refused"},
		"its match always fails":                           {data: "poison", verdict: event.Review, reason: event.RetriesExhausted, detail: "match failed 3 times, the last time: a query that fails"},
		"device fails twice":                               {data: "plain", prepare: func(j *judges) { j.embedFails.Store(2) }, verdict: event.Allow, reason: event.NoMatch},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, nil)
			if test.prepare != nil {
				test.prepare(b.judges)
			}
			b.publish(test.data, test.headers...)
			stop := b.start()
			d := b.decisions(1)[0]
			require.Equal(t, test.verdict, d.Data.Verdict)
			require.Equal(t, test.reason, d.Data.Reason)
			require.Contains(t, d.Data.Detail, test.detail)
			require.Equal(t, fmt.Sprintf("UPLOADS:1:%d", d.Data.Upload.Stored.UnixNano()), d.ID)
			require.WithinDuration(t, time.Now(), d.Data.Upload.Stored, time.Hour)
			require.Equal(t, event.ModelInfo{Name: "test", Fingerprint: "f00d"}, d.Data.Model)
			b.settled()
			require.NoError(t, stop())
		})
	}
}

// A flagged file is blocked, whatever it shows: as soon as the library can be asked.
func TestFlaggedFileThatShowsNothing(t *testing.T) {
	for _, data := range []string{"bad known file", "zero known file"} {
		t.Run(data, func(t *testing.T) {
			b := newBench(t, nil)
			b.judges.matchFails.Store(1)
			b.publish(data)
			b.start()
			d := b.decisions(1)[0].Data
			require.Equal(t, []any{event.Block, event.Match, event.SignalExact}, []any{d.Verdict, d.Reason, d.Signal})
			require.Equal(t, []string{"f2", "files"}, []string{d.Match.FlaggedID, d.Match.Bank})
			require.Len(t, d.Matches, 1)
			b.settled()
		})
	}
}

// One bad upload gives back none of its batch.
func TestFailuresArePerUpload(t *testing.T) {
	b := newBench(t, func(c *Config) { c.BatchSize = 32 })
	for i := range 40 {
		b.publish([]string{"plain", "flagged", "bad", "zero"}[i%4] + fmt.Sprint(i))
	}
	b.start()
	reasons := map[event.Reason]int{}
	for _, d := range b.decisions(40) {
		reasons[d.Data.Reason]++
	}
	require.Equal(t, map[event.Reason]int{event.NoMatch: 10, event.Match: 10, event.Undecodable: 20}, reasons)
	require.EqualValues(t, 40, b.judges.decodes.Load(), "each is decoded once")
}

// A shutdown finishes what was pulled and leaves the rest for others.
func TestDrain(t *testing.T) {
	b := newBench(t, nil)
	b.judges.gate = make(chan struct{})
	for range 6 {
		b.publish("slow")
	}
	stop := b.start()
	require.Eventually(t, func() bool { return b.judges.decodes.Load() == 2 }, 10*time.Second, time.Millisecond, "both workers are busy")
	finished := make(chan error, 1)
	go func() { finished <- stop() }()
	time.Sleep(50 * time.Millisecond)
	close(b.judges.gate)
	require.NoError(t, <-finished)
	decided := b.count(event.DecisionsStream)
	require.GreaterOrEqual(t, decided, 2, "what was in hand is decided")

	b.start()
	b.decisions(6)
	b.settled()
}

// When the drain time is over, uploads go back at once, not after the ack wait.
func TestDrainTimeIsBounded(t *testing.T) {
	b := newBench(t, func(c *Config) { c.DrainTime = 50 * time.Millisecond; c.AckWait = time.Minute })
	b.judges.gate = make(chan struct{})
	for range 3 {
		b.publish("slow")
	}
	stop := b.start()
	require.Eventually(t, func() bool { return b.judges.decodes.Load() == 2 }, 10*time.Second, time.Millisecond)
	require.NoError(t, stop())
	require.Zero(t, b.count(event.DecisionsStream))
	b.judges.gate = nil
	b.start()
	b.decisions(3)
}

// Uploads that take longer than the ack wait are kept alive, and decided once.
func TestLongWorkIsKeptAlive(t *testing.T) {
	b := newBench(t, nil)
	b.judges.gate = make(chan struct{})
	b.publish("slow")
	b.start()
	require.Eventually(t, func() bool { return b.judges.decodes.Load() == 1 }, 10*time.Second, time.Millisecond)
	time.Sleep(b.cfg.AckWait + b.cfg.AckWait/2)
	close(b.judges.gate)
	b.decisions(1)
	b.settled()
	require.EqualValues(t, 1, b.judges.decodes.Load(), "it was not delivered again")
}

// Two consumers on one durable share the work, and decide each upload once.
func TestReplicasShareTheDurable(t *testing.T) {
	b := newBench(t, nil)
	b.start()
	b.start()
	for i := range 100 {
		b.publish(fmt.Sprint("plain", i))
	}
	seen := map[string]bool{}
	for _, d := range b.decisions(100) {
		require.False(t, seen[d.ID], "%s was decided twice", d.ID)
		seen[d.ID] = true
	}
}

// An upload whose deliveries all end without a word (its decoding kills the process) is decided in the end.
func TestPoisonIsDecidedWithoutBeingTouched(t *testing.T) {
	b := newBench(t, func(c *Config) { c.AckWait = 1100 * time.Millisecond; c.Budget = time.Second; c.Attempts = 2 })
	b.publish("plain")
	for range 2 { // deliveries that nobody acknowledges
		batch, err := b.durable.Fetch(1, jetstream.FetchMaxWait(5*time.Second))
		require.NoError(t, err)
		require.NotNil(t, <-batch.Messages())
	}
	b.start()
	d := b.decisions(1)[0]
	require.Equal(t, event.RetriesExhausted, d.Data.Reason)
	require.Zero(t, b.judges.decodes.Load())
}
