package console_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"moderator/internal/console"
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
		given console.Comparison
		want  console.Judged
	}{
		"same file":               {console.Comparison{SameFile: true, Flat: true, PDQ: -1}, console.Judged{Verdict: event.Block, Signal: event.SignalExact}},
		"nothing to see":          {console.Comparison{Flat: true, PDQ: 0, Score: 1, Points: agreeing(0.9)}, console.Judged{Verdict: event.Allow, Signal: event.SignalExact}},
		"pdq":                     {console.Comparison{PDQ: 31}, console.Judged{Verdict: event.Block, Signal: event.SignalPDQ}},
		"one bit too many":        {console.Comparison{PDQ: 32}, console.Judged{Verdict: event.Allow, Signal: event.SignalEmbedding}},
		"score blocks":            {console.Comparison{PDQ: -1, Score: 0.5, Points: agreeing(0.5)}, console.Judged{Verdict: event.Block, Signal: event.SignalEmbedding}},
		"points block":            {console.Comparison{PDQ: -1, Score: 0.4, Points: agreeing(0.5)}, console.Judged{Verdict: event.Block, Signal: event.SignalKeypoints}},
		"few points go to review": {console.Comparison{PDQ: -1, Points: keypoint.Agreement{Points: 12, Visible: 240, Area: 1, Shown: 1}}, console.Judged{Verdict: event.Review, Signal: event.SignalKeypoints}},
		"score goes to review":    {console.Comparison{PDQ: -1, Score: 0.3}, console.Judged{Verdict: event.Review, Signal: event.SignalEmbedding}},
		"nothing speaks":          {console.Comparison{PDQ: -1, Score: 0.2, Points: agreeing(0.01)}, console.Judged{Verdict: event.Allow, Signal: event.SignalEmbedding}},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, test.want, test.given.Judge(0.5, &review)) })
	}
}

func TestFlagsOfDisabledBanksStopNothing(t *testing.T) {
	n := console.NearFlag{Found: matchdb.Found{Hit: matchdb.Hit{FlaggedID: uuid.New(), Score: 1, BlockAt: 0.5}}, PDQ: -1}
	require.Equal(t, console.Judged{Verdict: event.Allow, Signal: event.SignalEmbedding}, n.Judge())
	n.BankEnabled = true
	require.Equal(t, console.Judged{Verdict: event.Block, Signal: event.SignalEmbedding}, n.Judge())
}
