package verdict

import (
	"testing"

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
