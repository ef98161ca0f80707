package verdict

import (
	"sort"

	"moderator/internal/event"
)

// decide is the verdict on one upload, given its hits: the signal of highest precedence counts for its bank, and of one signal the best
// match of any frame or view. It fills the fields of d that say what matched.
func decide(d *event.Decision, hits []Hit) {
	best := bestOfBanks(hits)
	d.Verdict, d.Reason, d.Matches = event.Allow, event.NoMatch, []event.MatchInfo{}
	if len(best) > 0 {
		setNearest(d, best[0], lowest(best[0]))
		if best[0].Weighed != nil {
			d.Threshold = nil // it is the probability's, which the decision names with a match only
		}
	}
	for _, hit := range best {
		if hit.Reached() {
			d.Matches = append(d.Matches, matchInfo(hit))
		}
	}
	for _, verdict := range []event.Verdict{event.Block, event.Review} {
		for _, hit := range best {
			threshold, ok := thresholdOf(hit, verdict)
			if !ok || hit.decisive() < threshold {
				continue
			}
			match := matchInfo(hit)
			d.Verdict, d.Reason, d.Match = verdict, event.Match, &match
			setNearest(d, hit, threshold)
			return
		}
	}
}

// bestOfBanks keeps each bank's best hit (one that blocks, even if a signal of higher precedence asks for review), the best first; banks whose hits are alike stand in the order of their names,
// so that the same upload is always decided the same.
func bestOfBanks(hits []Hit) []Hit {
	banks := map[string]Hit{}
	for _, hit := range hits {
		if old, ok := banks[hit.Bank]; !ok || hit.weight() > old.weight() || hit.weight() == old.weight() && better(hit, old) {
			banks[hit.Bank] = hit
		}
	}
	best := make([]Hit, 0, len(banks))
	for _, hit := range banks {
		best = append(best, hit)
	}
	sort.Slice(best, func(i, j int) bool { return better(best[i], best[j]) })
	return best
}

// precedence orders signals, the highest first. Hashes are hits only where they match.
var precedence = map[event.Signal]int{event.SignalExact: 3, event.SignalPDQ: 2, event.SignalKeypoints: 1, event.SignalEmbedding: 0}

func better(a, b Hit) bool {
	if precedence[a.Signal] != precedence[b.Signal] {
		return precedence[a.Signal] > precedence[b.Signal]
	}
	if a.Score != b.Score {
		return a.Score > b.Score
	}
	if a.Bank != b.Bank {
		return a.Bank < b.Bank
	}
	return a.FlaggedID < b.FlaggedID
}

// weight is 2 for a hit that blocks, 1 for one that asks for a review, else 0.
func (h Hit) weight() int {
	switch {
	case h.Blocks():
		return 2
	case h.Reached():
		return 1
	}
	return 0
}

// thresholdOf is the score, or the probability, from which a hit has that verdict; not ok where its bank has no such verdict.
func thresholdOf(hit Hit, verdict event.Verdict) (threshold float64, ok bool) {
	if hit.Quarantined || hit.ReviewOnly {
		return lowest(hit), verdict == event.Review
	}
	if w := hit.Weighed; w != nil {
		if verdict == event.Block {
			return w.BlockAt, true
		}
		return w.ReviewAt, true
	}
	if verdict == event.Block {
		return hit.BlockAt, true
	}
	if hit.ReviewAt == nil {
		return 0, false
	}
	return *hit.ReviewAt, true
}

// lowest is the score, or the probability, from which a hit counts as a match at all.
func lowest(hit Hit) float64 {
	if w := hit.Weighed; w != nil {
		return min(w.ReviewAt, w.BlockAt)
	}
	if hit.ReviewAt != nil {
		return min(*hit.ReviewAt, hit.BlockAt)
	}
	return hit.BlockAt
}

func setNearest(d *event.Decision, hit Hit, threshold float64) {
	d.Similarity, d.Score, d.Threshold, d.Signal = &hit.Similarity, &hit.Score, &threshold, hit.Signal
	if hit.Model != nil {
		d.Model = *hit.Model
	}
}

func matchInfo(hit Hit) event.MatchInfo {
	m := event.MatchInfo{
		FlaggedID: hit.FlaggedID, Bank: hit.Bank, View: hit.View, Similarity: hit.Similarity, Score: hit.Score,
		Quarantined: hit.Quarantined,
	}
	if hit.Weighed != nil {
		m.Probability = &hit.Weighed.Probability
	}
	if e := hit.Evidence; e != nil {
		m.Evidence = event.EvidenceInfo{
			PDQ: e.PDQ, FlagKeypoints: e.FlagPoints, UploadKeypoints: e.UploadPoints, Expected: e.Expected, Agreeing: e.Agreeing,
			Contradicting: e.Contradicting, Shared: e.Shared, Area: e.Area, Shown: e.Shown, Covered: e.Covered,
			Looked: e.Guided.Looked, Similar: e.Guided.Similar, PartsAlike: e.Guided.Compared.Alike,
		}
		if e.HasVector {
			m.Evidence.Score = e.Score
		}
		m.Differs = event.DiffersInfo(e.Guided.Differs)
	}
	return m
}
