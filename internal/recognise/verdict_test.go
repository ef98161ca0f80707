package recognise

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"moderator/internal/event"
	"moderator/internal/keypoint"
	"moderator/internal/matchdb"
)

// agreeing has a score of share.
func agreeing(share float64) keypoint.Agreement {
	return keypoint.Agreement{Points: int(100 * share), Visible: 100, Area: 1, Shown: 1}
}

func TestTheSurestSignalJudges(t *testing.T) {
	review := 0.3
	for name, test := range map[string]struct {
		given Comparison
		want  Judged
	}{
		"same file":               {Comparison{SameFile: true, Flat: true, PDQ: -1}, Judged{Verdict: event.Block, Signal: event.SignalExact}},
		"nothing to see":          {Comparison{Flat: true, PDQ: 0, Score: 1, Points: agreeing(0.9)}, Judged{Verdict: event.Allow, Signal: event.SignalExact}},
		"pdq":                     {Comparison{PDQ: 31}, Judged{Verdict: event.Block, Signal: event.SignalPDQ}},
		"one bit too many":        {Comparison{PDQ: 32}, Judged{Verdict: event.Allow, Signal: event.SignalEmbedding}},
		"score blocks":            {Comparison{PDQ: -1, Score: 0.5, Points: agreeing(0.5)}, Judged{Verdict: event.Block, Signal: event.SignalEmbedding}},
		"points block":            {Comparison{PDQ: -1, Score: 0.4, Points: agreeing(0.5)}, Judged{Verdict: event.Block, Signal: event.SignalKeypoints}},
		"few points go to review": {Comparison{PDQ: -1, Points: keypoint.Agreement{Points: 12, Visible: 240, Area: 1, Shown: 1}}, Judged{Verdict: event.Review, Signal: event.SignalKeypoints}},
		"score goes to review":    {Comparison{PDQ: -1, Score: 0.3}, Judged{Verdict: event.Review, Signal: event.SignalEmbedding}},
		"nothing speaks":          {Comparison{PDQ: -1, Score: 0.2, Points: agreeing(0.01)}, Judged{Verdict: event.Allow, Signal: event.SignalEmbedding}},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, test.want, test.given.Judge(0.5, &review)) })
	}
}

func TestFlagsOfDisabledBanksStopNothing(t *testing.T) {
	n := NearFlag{Found: matchdb.Found{Hit: matchdb.Hit{FlaggedID: uuid.New(), Score: 1, BlockAt: 0.5}}, PDQ: -1}
	require.Equal(t, Judged{Verdict: event.Allow, Signal: event.SignalEmbedding}, n.Judge())
	n.BankEnabled = true
	require.Equal(t, Judged{Verdict: event.Block, Signal: event.SignalEmbedding}, n.Judge())
}
