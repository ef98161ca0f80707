// Package evidence weighs what the signals say about an upload and a flag to a probability that they are the same picture.
//
// Each signal by itself is mistaken for some kind of picture: the score takes pages of text for each other, and forms that are
// filled in differently; few keypoints agree by chance, in letters and in logos. What tells copies from pictures of one template is
// what should agree and does not: in a copy nearly all surroundings of the flag's keypoints are the same, wherever the upload has
// keypoints itself; another picture of the template differs here and there all over the flag. What an upload shares with several flags
// that are other pictures, such as the template, does not tell which of them it shows.
//
//	signals ─► features ─► trees ─► sum (log-odds) ─► probability ─► thresholds of the library's size
package evidence

import (
	"math"
	"slices"

	"moderator/internal/pdq"
	"moderator/internal/verdict"
)

// Part is one part of the log-odds.
type Part struct {
	Name   string
	Amount float64
}

// hashAlone is the log-odds of a hash that matches, where keypoints say nothing.
const hashAlone = 11.8

// Of a flag without keypoints the score alone says anything: its log-odds are scoreSlope for each unit above evenScore. Of training
// pictures with fewer keypoints than are stored, copies were as many as others from 0.35 on; pages and forms of one layout reach 0.5.
const scoreSlope, evenScore = 15, 0.34

// Parts are the log-odds without any evidence and what each part adds: on its way through each tree, the log-odds change by
// the mean of those that go the same way.
func Parts(e verdict.Evidence) []Part {
	if part, ok := byOne(e); ok {
		return []Part{part}
	}
	parts := []Part{{"base", trees.Base}}
	add := func(name string, amount float64) {
		i := slices.IndexFunc(parts, func(p Part) bool { return p.Name == name })
		if i < 0 {
			i, parts = len(parts), append(parts, Part{Name: name})
		}
		parts[i].Amount += amount
	}
	values := Values(e)
	for _, tree := range trees.Trees {
		add("base", tree[0].Value)
		leaf(tree, values, func(at, next *node) { add(Features[at.Feature].Part, next.Value-at.Value) })
	}
	return parts
}

// LogOdds is the natural logarithm of the odds that the upload shows the flag.
func LogOdds(e verdict.Evidence) float64 {
	if part, ok := byOne(e); ok {
		return part.Amount
	}
	values, sum := Values(e), trees.Base
	for _, tree := range trees.Trees {
		sum += leaf(tree, values, func(_, _ *node) {})
	}
	return sum
}

// byOne decides by one signal where keypoints say nothing: the flag has none, or the hashes are of another frame.
func byOne(e verdict.Evidence) (part Part, ok bool) {
	matches := e.PDQ >= 0 && e.PDQ <= pdq.MaxDistance
	switch {
	case matches && (e.FlagPoints == 0 || e.HashAlone):
		return Part{partHash, hashAlone}, true
	case e.FlagPoints == 0 && e.HasVector:
		return Part{partScore, scoreSlope * (e.Score - evenScore)}, true
	case e.FlagPoints == 0:
		return Part{partHash, -hashAlone}, true
	}
	return Part{}, false
}

// Thresholds are the log-odds from which a library of so many flags blocks, and asks for review.
type Thresholds struct{ Block, Review float64 }

// DefaultFalseBlocks is the rate of false blocks, of all uploads, that a library of any size is to keep.
const DefaultFalseBlocks = 1e-4

// An upload that resembles a flag, and is another picture, has log-odds above a threshold the more rarely the higher it is:
// e-fold for each 1/falling. Those that resemble a flag decide, and hardly how many flags there are: of 9,011 innocent uploads
// 0.8 % are blocked at one threshold, among 4,000 flags as among 20,000.
const (
	atReference = 2.4
	reference   = 20_000 // flags
	fewest      = 12     // a smaller library has the threshold of this many
	perTenfold  = 0.1
	falling     = 0.9
	reviewBand  = 0.8
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
