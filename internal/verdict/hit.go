package verdict

import (
	"moderator/internal/event"
	"moderator/internal/pdq"
)

// Hit is a flagged picture near an upload. Scores of different signals do not compare.
type Hit struct {
	Signal     event.Signal
	FlaggedID  string
	Bank       string
	View       string
	Similarity float64 // cosine; for PDQ the share of equal bits, for keypoints that of the points that agree
	Score      float64 // what the thresholds apply to
	BlockAt    float64
	ReviewAt   *float64         // nil: this bank has no review band
	Query      int              // which of the upload's views is near
	Turn       pdq.Turn         // of that view, for a hit by PDQ
	Model      *event.ModelInfo // whose vectors are near, or named the candidate; nil: of no model
	Candidate  *Hit             // for a hit by keypoints: the hit that named the flag as a candidate
	Evidence   *Evidence        // of a candidate that was verified; nil: of another hit
	Weighed    *Weighed         // what the evidence comes to, which decides; nil: the score decides
	Shadow     bool             // its bank changes no verdict
	ReviewOnly bool             // its bank asks for review at most
	// Quarantined is a flag whose matches ask for review at most.
	Quarantined bool
	Allowed     *Allowed // the allowed picture that this view is nearer to; nil: none, the hit counts
}

// Weighed is the probability that the upload shows the flag, given the evidence, with the thresholds of the library's size.
type Weighed struct{ Probability, BlockAt, ReviewAt float64 }

// decisive is what thresholds apply to: the probability of a hit whose evidence is weighed, else the score.
func (h Hit) decisive() float64 {
	if h.Weighed != nil {
		return h.Weighed.Probability
	}
	return h.Score
}

// Blocks reports whether the hit is at or above the threshold from which its bank blocks, and its flag may.
func (h Hit) Blocks() bool {
	if h.Quarantined || h.ReviewOnly {
		return false
	}
	if h.Weighed != nil {
		return h.Weighed.Probability >= h.Weighed.BlockAt
	}
	return h.Score >= h.BlockAt
}

// Allowed is an innocent picture that an upload is near to.
type Allowed struct {
	ID, View          string
	Similarity, Score float64 // by the signal of the hit that it stands beside
}

// Reached reports whether the hit is a match: at or above a threshold of its bank.
func (h Hit) Reached() bool { return h.decisive() >= lowest(h) }
