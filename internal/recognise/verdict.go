package recognise

import (
	"math"

	"moderator/internal/embed"
	"moderator/internal/event"
	"moderator/internal/evidence"
	"moderator/internal/keypoint"
	"moderator/internal/matchdb"
	"moderator/internal/pdq"
	"moderator/internal/verdict"
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

	FlagPoints, UploadPoints int // that each picture has
	hashAlone                bool
	// Thresholds by evidence, for flags of banks with the thresholds of this model; nil: the score, PDQ and keypoints decide by their own.
	Thresholds *evidence.Thresholds
	Model      *embed.Folder
}

// Evidence is what the signals say, as the moderator weighs it.
func (c Comparison) Evidence() verdict.Evidence {
	e := KeypointEvidence(c.FlagPoints, c.UploadPoints, c.Points)
	e.HasVector, e.Score, e.Similarity, e.View, e.PDQ, e.HashAlone = true, c.Score, c.Similarity, c.View, c.PDQ, c.hashAlone
	return e
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
	case c.Thresholds != nil && modelThresholds(c.Model, blockAt, reviewAt):
		return c.byEvidence()
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

// Weighed is the probability of the evidence; nil without Thresholds.
func (c Comparison) Weighed() *verdict.Weighed {
	if c.Thresholds == nil {
		return nil
	}
	return c.Thresholds.Weigh(c.Evidence())
}

// modelThresholds reports whether these thresholds on the score are the ones of a calibrated model, and no bank's own.
func modelThresholds(f *embed.Folder, blockAt float64, reviewAt *float64) bool {
	block, review, calibrated := f.Thresholds()
	same := func(a, b float64) bool { return math.Abs(a-b) < 1e-6 }
	return calibrated && reviewAt != nil && same(blockAt, block) && same(*reviewAt, review)
}

// byEvidence names the signal of the highest precedence that is a match by itself.
func (c Comparison) byEvidence() Judged {
	w := c.Weighed()
	j := Judged{verdictOf(w.Probability, w.BlockAt, &w.ReviewAt), event.SignalEmbedding}
	switch {
	case c.PDQ >= 0 && c.PDQ <= pdq.MaxDistance:
		j.Signal = event.SignalPDQ
	case c.Points.Points > 0:
		j.Signal = event.SignalKeypoints
	}
	return j
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

	flagPoints, uploadPoints int // that each picture has
	thresholds               *evidence.Thresholds
	model                    *embed.Folder
	policy                   matchdb.Policy
}

// Comparison is the flag's with the picture.
func (n NearFlag) Comparison() Comparison {
	return Comparison{
		SameFile: n.SameFile, PDQ: n.PDQ, Score: n.Score, Similarity: n.Similarity, View: n.View, Points: n.Points,
		FlagPoints: n.flagPoints, UploadPoints: n.uploadPoints, Thresholds: n.thresholds, Model: n.model,
	}
}

// Judge says what an upload would get from this flag alone.
func (n NearFlag) Judge() Judged {
	c := n.Comparison()
	byPDQ := n.policy.PDQDistance != nil && c.PDQ >= 0 && c.PDQ <= *n.policy.PDQDistance
	if n.policy.PDQDistance != nil {
		c.PDQ = -1
	}
	j := c.Judge(n.BlockAt, n.ReviewAt)
	if byPDQ && j.Verdict != event.Block {
		j = Judged{event.Verdict(n.policy.PDQVerdict), event.SignalPDQ}
	}
	if (n.policy.Quarantined || n.policy.ReviewOnly) && j.Verdict == event.Block {
		j.Verdict = event.Review
	}
	if !n.BankEnabled || n.policy.Shadow {
		j.Verdict = event.Allow
	}
	return j
}
