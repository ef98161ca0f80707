package consumer

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"moderator/internal/event"
)

func TestDecide(t *testing.T) {
	at := func(v float64) *float64 { return &v }
	hit := func(bank string, score, block float64, review *float64) Hit {
		return Hit{Signal: event.SignalEmbedding, FlaggedID: "id-" + bank, Bank: bank, View: "original", Similarity: score + 0.1, Score: score, BlockAt: block, ReviewAt: review}
	}
	tests := map[string]struct {
		hits    []Hit
		verdict event.Verdict
		bank    string
		matches []string
	}{
		"empty library":                      {nil, event.Allow, "", []string{}},
		"below everything":                   {[]Hit{hit("a", 0.4, 0.8, at(0.5))}, event.Allow, "", []string{}},
		"in the review band":                 {[]Hit{hit("a", 0.5, 0.8, at(0.5))}, event.Review, "a", []string{"a"}},
		"at the block threshold":             {[]Hit{hit("a", 0.8, 0.8, at(0.5))}, event.Block, "a", []string{"a"}},
		"no review band":                     {[]Hit{hit("a", 0.79, 0.8, nil)}, event.Allow, "", []string{}},
		"a block goes before a higher score": {[]Hit{hit("lax", 0.9, 0.95, at(0.5)), hit("strict", 0.6, 0.6, nil)}, event.Block, "strict", []string{"lax", "strict"}},
		"the best frame decides":             {[]Hit{hit("a", 0.1, 0.8, nil), hit("a", 0.9, 0.8, nil)}, event.Block, "a", []string{"a"}},
		"a hash goes before a score":         {[]Hit{hit("a", 0.99, 0.8, nil), {Signal: event.SignalPDQ, FlaggedID: "p", Bank: "b", Score: 0.9, BlockAt: 0.88}}, event.Block, "b", []string{"b", "a"}},
		"one score, the first name":          {[]Hit{hit("b", 0.9, 0.8, nil), hit("a", 0.9, 0.8, nil)}, event.Block, "a", []string{"a", "b"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var d event.Decision
			decide(&d, test.hits)
			require.Equal(t, test.verdict, d.Verdict)
			banks := []string{}
			for _, m := range d.Matches {
				banks = append(banks, m.Bank)
			}
			require.Equal(t, test.matches, banks)
			if test.bank == "" {
				require.Nil(t, d.Match)
				require.Equal(t, event.NoMatch, d.Reason)
				return
			}
			require.Equal(t, test.bank, d.Match.Bank)
			require.Equal(t, event.Match, d.Reason)
			require.GreaterOrEqual(t, *d.Score, *d.Threshold)
		})
	}
}

// Of two models the better verdict counts, whichever scores higher, and the decision names the model whose score it has.
func TestDecideByTwoModels(t *testing.T) {
	first, second := &event.ModelInfo{Name: "first"}, &event.ModelInfo{Name: "second"}
	hit := func(model *event.ModelInfo, score, block, review float64) Hit {
		return Hit{Signal: event.SignalEmbedding, FlaggedID: "of " + model.Name, Bank: "a", View: "original", Score: score, BlockAt: block, ReviewAt: &review, Model: model}
	}
	for name, test := range map[string]struct {
		hits    []Hit
		verdict event.Verdict
		model   string
	}{
		"nothing":                            {nil, event.Allow, "first"},
		"nothing near":                       {[]Hit{hit(first, 0.1, 0.8, 0.5)}, event.Allow, "first"},
		"the first blocks":                   {[]Hit{hit(first, 0.3, 0.2, 0.1), hit(second, 0.7, 0.8, 0.5)}, event.Block, "first"},
		"the second blocks":                  {[]Hit{hit(first, 0.7, 0.8, 0.5), hit(second, 0.3, 0.2, 0.1)}, event.Block, "second"},
		"the second asks for a review":       {[]Hit{hit(first, 0.4, 0.8, 0.5), hit(second, 0.15, 0.2, 0.1)}, event.Review, "second"},
		"both block, the higher score":       {[]Hit{hit(first, 0.9, 0.8, 0.5), hit(second, 0.95, 0.8, 0.5)}, event.Block, "second"},
		"a hash is of none, so of the first": {[]Hit{hit(second, 0.9, 0.8, 0.5), {Signal: event.SignalPDQ, FlaggedID: "p", Bank: "a", Score: 0.9, BlockAt: 0.88}}, event.Block, "first"},
	} {
		t.Run(name, func(t *testing.T) {
			d := event.Decision{Model: *first}
			decide(&d, test.hits)
			require.Equal(t, []any{test.verdict, test.model}, []any{d.Verdict, d.Model.Name})
			if d.Match != nil {
				require.Len(t, d.Matches, 1, "one a bank")
			}
		})
	}
}

func TestPolicy(t *testing.T) {
	now := time.Unix(0, 0)
	p := policy{size: 2, age: time.Second}
	_, waiting := p.due(now)
	require.False(t, waiting)
	require.Nil(t, p.add(&item{}, now))
	wait, waiting := p.due(now.Add(300 * time.Millisecond))
	require.True(t, waiting)
	require.Equal(t, 700*time.Millisecond, wait)
	wait, _ = p.due(now.Add(5 * time.Second))
	require.Zero(t, wait)
	require.Len(t, p.add(&item{}, now), 2)
	require.Nil(t, p.flush())
}

// A batch that is due is passed on when the next stage is free, and grows until then.
func TestCollectGrowsWhileTheNextStageIsBusy(t *testing.T) {
	in, out := make(chan *item), make(chan []*item)
	go collect(in, out, 3, time.Millisecond, func() bool { return true })
	in <- &item{}
	time.Sleep(20 * time.Millisecond) // due, and nobody takes it
	in <- &item{}
	require.Len(t, <-out, 2)
	in <- &item{}
	close(in)
	require.Len(t, <-out, 1, "the last batch is flushed")
	_, open := <-out
	require.False(t, open)
}

// A batch waits for others only while some are coming.
func TestCollectWaitsForNobody(t *testing.T) {
	var coming atomic.Bool
	in, out := make(chan *item), make(chan []*item)
	go collect(in, out, 3, time.Hour, coming.Load)
	in <- &item{}
	require.Len(t, <-out, 1)
	coming.Store(true)
	in <- &item{}
	select {
	case <-out:
		t.Fatal("a batch did not wait for what is coming")
	case <-time.After(20 * time.Millisecond):
	}
	coming.Store(false)
	in <- &item{}
	require.Len(t, <-out, 2)
	close(in)
}

func TestConfigValidate(t *testing.T) {
	good := Config{
		BatchSize: 1, BatchAge: 1, Workers: 1, MaxUploadBytes: 1, MaxHeldBytes: 1, Attempts: 1, Backoff: 1,
		AckWait: 3, Budget: 1, DrainTime: 1,
	}
	require.NoError(t, good.Validate())
	bad := good
	bad.AckWait, bad.BatchSize, bad.MaxHeldBytes = 2, 0, 0
	err := bad.Validate()
	require.ErrorContains(t, err, "ack-wait is 2ns, wanted more than batch-age plus batch-budget (2ns)")
	require.ErrorContains(t, err, "batch-size is 0")
	require.ErrorContains(t, err, "max-held-bytes is 0")
}

func TestBackoffDoublesUpToAMinute(t *testing.T) {
	c := Config{Backoff: time.Second}
	require.Equal(t, time.Second, c.backoff(1))
	require.Equal(t, 4*time.Second, c.backoff(3))
	require.Equal(t, time.Minute, c.backoff(50))
}
