package verdict

import (
	"slices"
	"strings"

	"moderator/internal/event"
	"moderator/internal/feature"
)

// Judge is the verdict on one upload, by those of its hits that count: all but the ones that an allowed picture is nearer
// than, and of a picture with nothing to see, its file's hash alone.
func Judge(d *event.Decision, views []feature.View, hits []Hit) {
	if feature.Flat(views) {
		judgeFlat(d, hits)
		return
	}
	Weigh(d, hits)
}

// Lookback is the decision on an upload of the past, by the hits of a flag that came after it. It is false where that does
// not stop the upload.
func Lookback(d *event.Decision, hits []Hit) bool {
	Weigh(d, hits)
	if d.Verdict == event.Allow {
		return false
	}
	d.Reason = event.Lookback
	return true
}

// Weigh is Judge for an upload that is known to show something, or has no hits but those of its file.
func Weigh(d *event.Decision, hits []Hit) {
	var counted, suppressed []Hit
	for _, hit := range reportShadow(d, hits) {
		if hit.Allowed != nil {
			suppressed = append(suppressed, hit)
		} else {
			counted = append(counted, hit)
		}
	}
	decide(d, counted)
	if d.Verdict == event.Allow && len(suppressed) > 0 {
		allowListed(d, suppressed)
	}
}

// reportShadow reports what each bank in shadow would have decided, and returns the hits of the other banks.
func reportShadow(d *event.Decision, hits []Hit) (others []Hit) {
	var shadow []Hit
	for _, hit := range hits {
		switch {
		case !hit.Shadow:
			others = append(others, hit)
		case hit.Allowed == nil && hit.Reached():
			shadow = append(shadow, hit)
		}
	}
	for _, hit := range bestOfBanks(shadow) {
		would := event.ShadowInfo{Verdict: event.Review, Signal: hit.Signal, MatchInfo: matchInfo(hit)}
		if hit.Blocks() {
			would.Verdict = event.Block
		}
		d.Shadow = append(d.Shadow, would)
	}
	return others
}

// allowListed decides an upload that flags would have stopped, and names the first of them with the picture that was
// nearer.
func allowListed(d *event.Decision, suppressed []Hit) {
	decide(d, suppressed)
	i := slices.IndexFunc(suppressed, func(h Hit) bool { return matchInfo(h) == *d.Match && h.Signal == d.Signal })
	near := suppressed[i].Allowed
	d.Verdict, d.Reason, d.Matches = event.Allow, event.AllowListed, nil
	d.Allowed = &event.AllowedInfo{AllowedID: near.ID, View: near.View, Similarity: near.Similarity, Score: near.Score}
}

func judgeFlat(d *event.Decision, hits []Hit) {
	byFile(d, hits)
	if d.Verdict == event.Allow {
		d.Reason = event.LowDetail
	}
}

// JudgeUndecodable is the verdict on an upload that has no views: its file blocks it, or it goes to review.
func JudgeUndecodable(d *event.Decision, why *event.Unjudgeable, hits []Hit) {
	byFile(d, hits)
	if d.Verdict == event.Allow {
		d.Matches = nil
		Review(d, why.Reason, why.Err)
	}
}

// byFile decides by the file's hash alone.
func byFile(d *event.Decision, hits []Hit) {
	exact := slices.DeleteFunc(slices.Clone(hits), func(h Hit) bool { return h.Signal != event.SignalExact })
	decide(d, reportShadow(d, exact))
}

// maxDetail bounds what an error may add to a decision, in bytes: codecs quote what they choke on.
const maxDetail = 500

// Review decides review for an upload that cannot be judged; why is shown to people.
func Review(d *event.Decision, reason event.Reason, why error) {
	detail := why.Error()
	if len(detail) > maxDetail {
		detail = strings.ToValidUTF8(detail[:maxDetail], "") + "…"
	}
	d.Verdict, d.Reason, d.Detail = event.Review, reason, detail
}
