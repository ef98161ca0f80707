package flagctl

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/nats-io/nats.go/jetstream"

	"moderator/internal/event"
	"moderator/internal/evidence"
	"moderator/internal/matchdb"
	"moderator/internal/pdq"
)

// rateReplay decides again, by another rate of false blocks, what evidence decided: keypoints are not kept with uploads, but
// decisions have the probability that follows from all signals.
type rateReplay struct {
	thresholds evidence.Thresholds
	banks      []string        // take the rate; none: all
	reviewOnly map[string]bool // by bank
}

// byRate reads the decisions that DECISIONS keeps, and calls each with them and with those of the other rate.
func (r *replayCommand) byRate(ctx context.Context, c *cli, db *matchdb.DB, model string, each func(now, then event.Decision)) error {
	flags, err := db.FlagsWithKeypoints(ctx)
	if err != nil {
		return err
	}
	banks, err := db.Banks(ctx, model)
	if err != nil {
		return err
	}
	again := rateReplay{thresholds: evidence.For(flags, *r.FalseBlocks), banks: r.Bank, reviewOnly: map[string]bool{}}
	for _, b := range banks {
		again.reviewOnly[b.Name] = b.ReviewOnly
	}
	for _, name := range r.Bank {
		if _, ok := again.reviewOnly[name]; !ok {
			_, err := db.Bank(ctx, name)
			return err
		}
	}
	js, err := c.jetStream("flagctl replay")
	if err != nil {
		return err
	}
	defer js.Conn().Close()
	reader, err := js.OrderedConsumer(ctx, event.DecisionsStream, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{event.DecisionsSubject}, DeliverPolicy: jetstream.DeliverByStartTimePolicy, OptStartTime: &r.Since.Time,
	})
	if err != nil {
		return fmt.Errorf("stream %s: %w", event.DecisionsStream, err)
	}
	info, err := reader.Info(ctx)
	if err == nil && info.NumPending > 0 {
		err = eachDecision(ctx, reader, func(d event.Decision) {
			if !slices.Contains([]event.Reason{event.Lookback, event.Reviewed, event.TakenBack}, d.Reason) { // later ones of an upload
				each(d, again.decide(d))
			}
		})
	}
	if err != nil {
		return fmt.Errorf("stream %s: %w", event.DecisionsStream, err)
	}
	return nil
}

// gravity orders verdicts.
var gravity = map[event.Verdict]int{event.Review: 1, event.Block: 2}

// decide is the decision by the other rate. A bank in shadow that takes it decides, too.
func (r rateReplay) decide(d event.Decision) event.Decision {
	if d.Reason != event.Match && d.Reason != event.NoMatch {
		return d
	}
	then := d
	then.Verdict, then.Reason, then.Match, then.Matches, then.Shadow = event.Allow, event.NoMatch, nil, nil, nil
	take := func(m event.MatchInfo, signal event.Signal, v event.Verdict) {
		if v == event.Allow {
			return
		}
		then.Matches = append(then.Matches, m)
		if gravity[v] > gravity[then.Verdict] {
			then.Verdict, then.Reason, then.Match, then.Signal = v, event.Match, &m, signal
			then.Score, then.Similarity, then.Threshold = &m.Score, &m.Similarity, r.threshold(m, v)
		}
	}
	for _, m := range d.Matches {
		was := event.Review // at least
		if d.Match != nil && m.FlaggedID == d.Match.FlaggedID && m.Bank == d.Match.Bank {
			was = d.Verdict
		}
		take(m, d.Signal, r.verdict(m, was, len(r.banks) == 0))
	}
	for _, s := range d.Shadow {
		if slices.Contains(r.banks, s.Bank) {
			take(s.MatchInfo, s.Signal, r.verdict(s.MatchInfo, s.Verdict, false))
		} else {
			then.Shadow = append(then.Shadow, s)
		}
	}
	return then
}

// verdict is that of a match, which was another one where its bank does not take the rate.
func (r rateReplay) verdict(m event.MatchInfo, was event.Verdict, all bool) event.Verdict {
	if m.Probability == nil || !all && !slices.Contains(r.banks, m.Bank) {
		return was
	}
	odds := math.Log(*m.Probability / (1 - *m.Probability))
	if m.Evidence.PDQ >= 0 && m.Evidence.PDQ <= pdq.MaxDistance { // reviewed at least, see evidence.Thresholds
		odds = max(odds, r.thresholds.Review)
	}
	switch {
	case odds < r.thresholds.Review:
		return event.Allow
	case odds < r.thresholds.Block, m.Quarantined, r.reviewOnly[m.Bank]:
		return event.Review
	}
	return event.Block
}

// threshold is the probability from which a match has the verdict; nil where it has none.
func (r rateReplay) threshold(m event.MatchInfo, v event.Verdict) *float64 {
	if m.Probability == nil {
		return nil
	}
	odds := cmp.Or(map[event.Verdict]float64{event.Block: r.thresholds.Block}[v], r.thresholds.Review)
	p := 1 / (1 + math.Exp(-odds))
	return &p
}
