package recognise

import (
	"moderator/internal/event"
	"moderator/internal/keypoint"
	"moderator/internal/matchdb"
	"moderator/internal/pdq"
)

// Comparison is what is alike in two pictures, by each signal.
type Comparison struct {
	SameFile   bool
	Flat       bool    // there is nothing to see in one of them: then only its file counts
	PDQ        int     // bits that differ, of pdq.Bits, between the nearest views; -1 where there is too little detail
	Score      float64 // of the nearest views
	Similarity float64 // their cosine
	View       string  // which view of the flagged one
	Points     keypoint.Agreement
}

// PDQShare is the share of equal bits.
func (c Comparison) PDQShare() float64 { return 1 - float64(c.PDQ)/pdq.Bits }

// Judged is a verdict and the signal that says so.
type Judged struct {
	Verdict event.Verdict
	Signal  event.Signal
}

// Judge says what an upload of the second picture would get, were the first flagged in a bank with these thresholds.
func (c Comparison) Judge(blockAt float64, reviewAt *float64) Judged {
	switch {
	case c.SameFile:
		return Judged{event.Block, event.SignalExact}
	case c.Flat:
		return Judged{event.Allow, event.SignalExact}
	case c.PDQ >= 0 && c.PDQ <= pdq.MaxDistance:
		return Judged{event.Block, event.SignalPDQ}
	}
	byScore := verdictOf(c.Score, blockAt, reviewAt)
	if byScore != event.Block && c.Points.Score() >= keypoint.ReviewAt {
		pointsReviewAt := keypoint.ReviewAt
		return Judged{verdictOf(c.Points.Score(), keypoint.BlockAt, &pointsReviewAt), event.SignalKeypoints}
	}
	return Judged{byScore, event.SignalEmbedding}
}

func verdictOf(score, blockAt float64, reviewAt *float64) event.Verdict {
	switch {
	case score >= blockAt:
		return event.Block
	case reviewAt != nil && score >= *reviewAt:
		return event.Review
	}
	return event.Allow
}

// NearFlag is a flagged picture near one that is searched for, by its nearest view.
type NearFlag struct {
	matchdb.Found
	SameFile bool
	PDQ      int // bits that differ where they are so few that they block; else -1
	Points   keypoint.Agreement
}

// Judge says what an upload would get from this flag alone.
func (n NearFlag) Judge() Judged {
	j := Comparison{SameFile: n.SameFile, PDQ: n.PDQ, Score: n.Score, Points: n.Points}.Judge(n.BlockAt, n.ReviewAt)
	if !n.BankEnabled {
		j.Verdict = event.Allow
	}
	return j
}
