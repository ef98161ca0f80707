// Package evidence weighs what the signals say about an upload and a flag to a probability that they are the same picture.
//
// Each signal by itself is mistaken for some kind of picture: the score takes pages of text for each other, and forms that are
// filled in differently; few keypoints agree by chance, in letters and in logos. What tells copies from pictures of one template is
// what should agree and does not: a copy has nearly all of the flag's keypoints where it has any, unless it is so coarse that
// those that agree differ in many bits, or so blurred that it has few itself.
//
//	signals ─► terms ─► sum of value x weight (log-odds) ─► probability ─► thresholds of the library's size
package evidence

import (
	"math"

	"moderator/internal/pdq"
	"moderator/internal/verdict"
)

// Term is one part of the log-odds: Value x Weight.
type Term struct {
	Name          string
	Value, Weight float64
}

// base is the log-odds of a candidate without any evidence.
const base = -4.2

// The weights are those of a logistic regression on candidates of held-out pictures (docs/quality.md), each with
// the sign that its meaning wants. That of PDQ is raised so that a hash blocks by itself.
const (
	weightArea          = 16.45
	weightShare         = 4.05
	weightInliers       = 0.96
	weightPDQ           = 11
	weightScore         = 12
	weightMissing       = -28.7
	weightContradicting = -5.37
	weightNone          = -1.88
	weightNoneDetailed  = -8.02
	weightBits          = -1.93
	weightDetailed      = 2
	weightDetailedScore = 6
	weightDetailedMiss  = 8
)

const (
	leastAgreeing = 3  // fewer agree by chance
	leastPoints   = 12 // of a picture whose keypoints say anything
	fewPoints     = 60 // from here to manyPoints a picture has more and more detail
	manyPoints    = 200
	formPoints    = 110  // forms, charts and pages have no more: from here on a picture is more and more likely no template
	largeArea     = 0.15 // of the flag, beyond which more says no more
	freshBits     = 28   // that differ in keypoints of so coarse a copy that many more are lost
	chanceBits    = 14   // above it, agreement may be by chance
)

// Terms are the parts of the log-odds.
func Terms(e verdict.Evidence) []Term {
	least := min(e.FlagPoints, e.UploadPoints)
	detail := math.Log(float64(least+1)/fewPoints) / math.Log(float64(manyPoints)/fewPoints)
	detail = max(0, min(detail, 1))
	expected, agreeing := float64(e.Expected), float64(e.Agreeing)
	share := agreeing / max(expected, 1)

	terms := []Term{
		{"area", math.Sqrt(max(0, min(e.Area, largeArea))), weightArea},
		{"share", min(share, 0.8), weightShare},
		{"inliers", detail * min(math.Log1p(float64(e.Inliers)), 4), weightInliers},
	}
	if e.PDQ >= 0 && e.PDQ <= pdq.MaxDistance {
		terms = append(terms, Term{"pdq", 1, weightPDQ})
	}
	switch {
	case e.Agreeing >= leastAgreeing:
		possible := min(expected, float64(e.Inside)) // a blurred upload has few keypoints to agree
		missing := max(possible-agreeing, 0) / (possible + 6)
		fresh := max(0, 1-float64(e.Bits)/freshBits)
		detailed := max(0, min(float64(least-formPoints)/(manyPoints-5-formPoints), 1)) * math.Sqrt(max(0, min(e.Area, largeArea))/largeArea)
		terms = append(terms,
			Term{"detailed", detailed, weightDetailed},
			Term{"detailed, by score", detailed * max(0, min(e.Score, 0.4)), weightDetailedScore},
			Term{"missing", missing * fresh, weightMissing},
			Term{"missing of a detailed picture", detailed * missing * fresh, weightDetailedMiss},
			Term{"contradicting", float64(e.Contradicting) / max(expected, 1), weightContradicting},
			Term{"bits", max(float64(e.Bits-chanceBits)/10, 0), weightBits})
	case least >= leastPoints && float64(e.Inside) >= 0.4*expected:
		terms = append(terms, Term{"none", 1, weightNone}, Term{"none of many", detail, weightNoneDetailed})
	}
	if least < leastPoints && e.HasVector {
		terms = append(terms, Term{"score", max(0, min(e.Score-0.25, 0.5)), weightScore})
	}
	return terms
}

// LogOdds is the natural logarithm of the odds that the upload shows the flag.
func LogOdds(e verdict.Evidence) float64 {
	sum := base
	for _, t := range Terms(e) {
		sum += t.Value * t.Weight
	}
	return sum
}

// Thresholds are the log-odds from which a library of so many flags blocks, and asks for review.
type Thresholds struct{ Block, Review float64 }

// DefaultFalseBlocks is the rate of false blocks, of all uploads, that a library of any size is to keep.
const DefaultFalseBlocks = 1e-4

// An upload that resembles a flag, and is another picture, has log-odds above a threshold the more rarely the higher it is:
// e-fold for each 1/falling. It meets more such flags the more there are, and the nearest is a little nearer for each tenfold.
const (
	atReference = 0.5
	reference   = 20_000 // flags
	fewest      = 12     // a smaller library has the threshold of this many
	perTenfold  = 0.53
	falling     = 1.2
	reviewBand  = 1.8
)

// For are the thresholds of a library of so many flags at a rate of false blocks an upload.
func For(flags int, falseBlocks float64) Thresholds {
	block := atReference + perTenfold*math.Log10(float64(max(flags, fewest))/reference) + math.Log(DefaultFalseBlocks/falseBlocks)/falling
	return Thresholds{Block: block, Review: block - reviewBand}
}

// Weigh gives the probability with the thresholds. A hash that matches is reviewed at least, whatever the keypoints say.
func (t Thresholds) Weigh(e verdict.Evidence) *verdict.Weighed {
	odds := LogOdds(e)
	if e.PDQ >= 0 && e.PDQ <= pdq.MaxDistance {
		odds = max(odds, t.Review)
	}
	return &verdict.Weighed{Probability: probability(odds), BlockAt: probability(t.Block), ReviewAt: probability(t.Review)}
}

func probability(logOdds float64) float64 { return 1 / (1 + math.Exp(-logOdds)) }
