package consumer

import (
	"slices"

	"moderator/internal/event"
	"moderator/internal/pdq"
)

// Allowed is an innocent picture that an upload is near to.
type Allowed struct {
	ID, View          string
	Similarity, Score float64 // by the signal of the hit that it stands beside
}

// Reached reports whether the hit is a match: at or above a threshold of its bank.
func (h Hit) Reached() bool { return h.Score >= lowest(h) }

// judge is the verdict on one upload, by those of its hits that count: all but the ones that an allowed picture is nearer
// than, and of a picture with nothing to see, its file's hash alone.
func judge(d *event.Decision, views []View, hits []Hit) {
	if Flat(views) {
		judgeFlat(d, hits)
		return
	}
	weigh(d, hits)
}

// JudgeAgain is the decision on an upload of the past, by the hits of a flag that came after it. It is false where that does
// not stop the upload.
func JudgeAgain(d *event.Decision, hits []Hit) bool {
	weigh(d, hits)
	if d.Verdict == event.Allow {
		return false
	}
	d.Reason = event.Lookback
	return true
}

func weigh(d *event.Decision, hits []Hit) {
	var counted, spared []Hit
	for _, hit := range hits {
		if hit.Allowed != nil {
			spared = append(spared, hit)
		} else {
			counted = append(counted, hit)
		}
	}
	decide(d, counted)
	if d.Verdict == event.Allow && len(spared) > 0 {
		allowListed(d, spared)
	}
}

// allowListed decides an upload that flags would have stopped, and names the first of them with the picture that was
// nearer.
func allowListed(d *event.Decision, spared []Hit) {
	decide(d, spared)
	i := slices.IndexFunc(spared, func(h Hit) bool { return matchInfo(h) == *d.Match && h.Signal == d.Signal })
	near := spared[i].Allowed
	d.Verdict, d.Reason, d.Matches = event.Allow, event.AllowListed, nil
	d.Allowed = &event.AllowedInfo{AllowedID: near.ID, View: near.View, Similarity: near.Similarity, Score: near.Score}
}

func judgeFlat(d *event.Decision, hits []Hit) {
	byFile(d, hits)
	if d.Verdict == event.Allow {
		d.Reason = event.LowDetail
	}
}

// judgeUnseen is the verdict on an upload that has no views: its file blocks it, or it goes to review.
func judgeUnseen(d *event.Decision, why *Unjudgeable, hits []Hit) {
	byFile(d, hits)
	if d.Verdict == event.Allow {
		d.Matches = nil
		review(d, why.Reason, why.Err)
	}
}

// byFile decides by the file's hash alone.
func byFile(d *event.Decision, hits []Hit) {
	decide(d, slices.DeleteFunc(slices.Clone(hits), func(h Hit) bool { return h.Signal != event.SignalExact }))
}

// Flat reports whether there is nothing to see in any frame or view. What a border hides of a picture's detail, its trimmed
// view shows.
func Flat(views []View) bool {
	return !slices.ContainsFunc(views, func(v View) bool { return v.Quality >= pdq.FlatQuality })
}
