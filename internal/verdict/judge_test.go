package verdict

import (
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
