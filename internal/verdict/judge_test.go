package verdict

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/event"
	"moderator/internal/feature"
	"moderator/internal/pdq"
)

func TestJudge(t *testing.T) {
	review := 0.5
	exact := Hit{Signal: event.SignalExact, FlaggedID: "file", Bank: "files", Similarity: 1, Score: 1, BlockAt: 1}
	hash := Hit{Signal: event.SignalPDQ, FlaggedID: "hash", Bank: "a", Similarity: 0.9, Score: 0.9, BlockAt: 0.88}
	near := Hit{Signal: event.SignalEmbedding, FlaggedID: "near", Bank: "a", Similarity: 0.95, Score: 0.85, BlockAt: 0.8, ReviewAt: &review}
	doubt := Hit{Signal: event.SignalEmbedding, FlaggedID: "doubt", Bank: "b", Similarity: 0.8, Score: 0.6, BlockAt: 0.8, ReviewAt: &review}
	far := Hit{Signal: event.SignalEmbedding, FlaggedID: "far", Bank: "b", Similarity: 0.3, Score: 0.2, BlockAt: 0.8, ReviewAt: &review}
	suppressed := func(h Hit) Hit {
		h.Allowed = &Allowed{ID: "innocent of " + h.FlaggedID, View: "original", Similarity: 0.99, Score: 0.98}
		return h
	}
	for name, test := range map[string]struct {
		quality int
		hits    []Hit
		verdict event.Verdict
		reason  event.Reason
		match   string
		allowed string
	}{
		"no hit":                              {100, nil, event.Allow, event.NoMatch, "", ""},
		"nothing is allowed":                  {100, []Hit{near}, event.Block, event.Match, "near", ""},
		"nearer to an allowed picture":        {100, []Hit{suppressed(near)}, event.Allow, event.AllowListed, "near", "innocent of near"},
		"one would be enough for review":      {100, []Hit{suppressed(doubt)}, event.Allow, event.AllowListed, "doubt", "innocent of doubt"},
		"by every signal":                     {100, []Hit{suppressed(near), suppressed(hash)}, event.Allow, event.AllowListed, "hash", "innocent of hash"},
		"by one signal only":                  {100, []Hit{near, suppressed(hash)}, event.Block, event.Match, "near", ""},
		"another bank's flag is nearer":       {100, []Hit{suppressed(near), doubt}, event.Review, event.Match, "doubt", ""},
		"what is far does not count":          {100, []Hit{suppressed(near), far}, event.Allow, event.AllowListed, "near", "innocent of near"},
		"the very same file goes before all":  {100, []Hit{suppressed(near), exact}, event.Block, event.Match, "file", ""},
		"just enough to see":                  {pdq.FlatQuality, []Hit{near}, event.Block, event.Match, "near", ""},
		"nothing to see":                      {pdq.FlatQuality - 1, []Hit{near, hash}, event.Allow, event.LowDetail, "", ""},
		"nothing to see, and nothing near":    {0, nil, event.Allow, event.LowDetail, "", ""},
		"nothing to see, and an allowed file": {0, []Hit{suppressed(near)}, event.Allow, event.LowDetail, "", ""},
		"nothing to see, the very same file":  {0, []Hit{near, exact}, event.Block, event.Match, "file", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var d event.Decision
			Judge(&d, []feature.View{{Quality: 0}, {Quality: test.quality}}, test.hits)
			require.Equal(t, []any{test.verdict, test.reason}, []any{d.Verdict, d.Reason})
			match, allowed := "", ""
			if d.Match != nil {
				match = d.Match.FlaggedID
			}
			if d.Allowed != nil {
				allowed = d.Allowed.AllowedID
			}
			require.Equal(t, []string{test.match, test.allowed}, []string{match, allowed})
			if d.Reason == event.AllowListed {
				require.Greater(t, d.Allowed.Score, *d.Score, "what is nearer is compared by the same signal")
				require.Empty(t, d.Matches)
			}
			if d.Reason == event.LowDetail {
				require.Nil(t, d.Score)
			}
		})
	}
}

// Banks in shadow are reported, each with the verdict that it would have given, and count for nothing else.
func TestShadow(t *testing.T) {
	review := 0.5
	hit := func(bank string, score float64, shadow bool) Hit {
		return Hit{Signal: event.SignalEmbedding, FlaggedID: "of " + bank, Bank: bank, Score: score, BlockAt: 0.8, ReviewAt: &review, Shadow: shadow}
	}
	suppressed := hit("allowed", 0.9, true)
	suppressed.Allowed = &Allowed{ID: "innocent"}
	hits := []Hit{hit("doubt", 0.6, true), hit("sure", 0.9, true), hit("far", 0.3, true), suppressed}
	views := []feature.View{{Quality: 100}}
	var alone, beside, flat, damaged event.Decision
	Judge(&alone, views, hits)
	require.Equal(t, []any{event.Allow, event.NoMatch, 0}, []any{alone.Verdict, alone.Reason, len(alone.Matches)})
	require.Nil(t, alone.Match)
	require.Nil(t, alone.Allowed)
	var would []string
	for _, s := range alone.Shadow {
		would = append(would, string(s.Verdict)+" "+s.FlaggedID)
	}
	require.Equal(t, []string{"block of sure", "review of doubt"}, would)

	Judge(&beside, views, append(hits, hit("real", 0.6, false)))
	require.Equal(t, []any{event.Review, "real", 1, 2}, []any{beside.Verdict, beside.Match.Bank, len(beside.Matches), len(beside.Shadow)})

	file := Hit{Signal: event.SignalExact, FlaggedID: "file", Bank: "files", Score: 1, BlockAt: 1, Shadow: true}
	Judge(&flat, nil, append(hits, file))
	require.Equal(t, []any{event.Allow, event.LowDetail, 1}, []any{flat.Verdict, flat.Reason, len(flat.Shadow)}, "the file alone counts")
	JudgeUndecodable(&damaged, &event.Unjudgeable{Reason: event.Undecodable, Err: errors.New("damaged")}, []Hit{file})
	require.Equal(t, []any{event.Review, event.Undecodable, 1}, []any{damaged.Verdict, damaged.Reason, len(damaged.Shadow)})

	var past event.Decision
	require.False(t, Lookback(&past, hits), "nothing is published of an earlier upload")
}

// A flag in quarantine asks for review at most, whatever finds it, and says so.
func TestQuarantine(t *testing.T) {
	review := 0.5
	views := []feature.View{{Quality: 100}}
	for name, test := range map[string]struct {
		hit  Hit
		want event.Verdict
	}{
		"by its file":      {Hit{Signal: event.SignalExact, Score: 1, BlockAt: 1}, event.Review},
		"by its score":     {Hit{Signal: event.SignalEmbedding, Score: 0.9, BlockAt: 0.8, ReviewAt: &review}, event.Review},
		"in a review band": {Hit{Signal: event.SignalEmbedding, Score: 0.6, BlockAt: 0.8, ReviewAt: &review}, event.Review},
		"by its evidence":  {Hit{Signal: event.SignalKeypoints, Weighed: &Weighed{Probability: 0.9, BlockAt: 0.8, ReviewAt: 0.5}}, event.Review},
		"too far":          {Hit{Signal: event.SignalEmbedding, Score: 0.4, BlockAt: 0.8, ReviewAt: &review}, event.Allow},
	} {
		t.Run(name, func(t *testing.T) {
			test.hit.FlaggedID, test.hit.Bank, test.hit.Quarantined = "q", "a", true
			var d event.Decision
			Judge(&d, views, []Hit{test.hit})
			require.Equal(t, test.want, d.Verdict)
			if d.Match != nil {
				require.True(t, d.Match.Quarantined)
				require.NotNil(t, d.Threshold)
			}
		})
	}
	quarantined := Hit{Signal: event.SignalExact, FlaggedID: "q", Bank: "a", Score: 1, BlockAt: 1, Quarantined: true}
	other := Hit{Signal: event.SignalEmbedding, FlaggedID: "o", Bank: "a", Score: 0.9, BlockAt: 0.8}
	var d event.Decision
	Judge(&d, views, []Hit{quarantined, other})
	require.Equal(t, []any{event.Block, "o", false}, []any{d.Verdict, d.Match.FlaggedID, d.Match.Quarantined}, "another flag of the bank blocks")
	d = event.Decision{}
	require.True(t, Lookback(&d, []Hit{quarantined}))
	require.Equal(t, event.Review, d.Verdict)
}
