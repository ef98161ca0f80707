package recognise

import (
	"context"
	"maps"
	"slices"

	"github.com/google/uuid"

	"moderator/internal/event"
	"moderator/internal/evidence"
	"moderator/internal/keypoint"
	"moderator/internal/matchdb"
	"moderator/internal/pdq"
	"moderator/internal/verdict"
)

// nearestEvidence is a pair's, with the views that are nearest.
type nearestEvidence struct {
	verdict.Evidence
	query   int    // the upload's view that is nearest by the vector
	hash    turned // and by PDQ
	pdqView string // of the flag, to that
}

// atBest is what the vectors and hashes of a pair may say that no retriever has as a match by them.
var atBest = matchdb.Evidence{HasVector: true, Score: 0.3, PDQ: pdq.MaxDistance + 1}

// pairs are those that evidence is wanted of, in a fixed order: matches, and flags whose keypoints agree.
func (v *verification) pairs() ([]pair, error) {
	wanted := map[pair]bool{}
	for p, of := range v.found {
		if of.agreement.Score() >= keypoint.ReviewAt || evidence.LogOdds(v.evidenceOf(p, atBest).Evidence) >= v.thresholds(of.candidate.FalseBlocks).Review {
			wanted[p] = true
		}
	}
	for i, hits := range v.hits {
		for _, h := range hits {
			if v.points[i] < 0 || !weighed(h) {
				continue
			}
			id, err := uuid.Parse(h.FlaggedID)
			if err != nil {
				return nil, err
			}
			wanted[pair{i, id}] = true
		}
	}
	return slices.SortedFunc(maps.Keys(wanted), func(a, b pair) int {
		if a.upload != b.upload {
			return a.upload - b.upload
		}
		return slices.Compare(a.flag[:], b.flag[:])
	}), nil
}

// evidence is what all signals say of each pair, by model.
func (v *verification) evidence(ctx context.Context, pairs []pair) ([][]nearestEvidence, error) {
	first := make([]int, len(v.uploads)) // view of each upload among all
	for i := 1; i < len(v.uploads); i++ {
		first[i] = first[i-1] + len(v.uploads[i-1].Views)
	}
	all := make([][]nearestEvidence, len(v.models))
	for m, model := range v.models {
		qs := make([]matchdb.EvidenceQuery, len(pairs))
		for k, p := range pairs {
			views := v.uploads[p.upload].Views
			qs[k] = matchdb.EvidenceQuery{Flag: p.flag, Views: v.vectors[m][first[p.upload]:][:len(views)]}
			qs[k].PDQ, _ = hashQueries(views)
		}
		found, err := v.db.Evidence(ctx, model.Fingerprint(), qs)
		if err != nil {
			return nil, err
		}
		for k, e := range found {
			one := v.evidenceOf(pairs[k], e)
			if ofLaterFrame(v.uploads[pairs[k].upload].Views, e) {
				one = one.withoutKeypoints()
			}
			all[m] = append(all[m], one)
		}
	}
	return all, nil
}

func (v *verification) evidenceOf(p pair, e matchdb.Evidence) nearestEvidence {
	of := v.found[p]
	quality := 0
	for _, view := range v.uploads[p.upload].Views {
		quality = max(quality, view.Quality)
	}
	nearest := turned{}
	if e.PDQ >= 0 {
		_, hashes := hashQueries(v.uploads[p.upload].Views)
		nearest = hashes[e.PDQQuery]
	}
	all := KeypointEvidence(len(of.candidate.Points.Points), v.points[p.upload], of.agreement)
	all.HasVector, all.Score, all.Similarity, all.View = e.HasVector, e.Score, e.Similarity, e.View
	all.PDQ, all.FlagQuality, all.UploadQuality, all.Votes = e.PDQ, e.Quality, quality, of.candidate.Votes
	return nearestEvidence{Evidence: all, query: e.Query, pdqView: turnedView(e.PDQView, nearest.turn), hash: nearest}
}

// keypointHit is the hit by keypoints. The allow-list knows no keypoints: it is weighed against what else the nearest views say.
func (m Matcher) keypointHit(of verified, e nearestEvidence, model int) verdict.Hit {
	reviewAt := keypoint.ReviewAt
	a := of.agreement
	hit := verdict.Hit{
		Signal: event.SignalKeypoints, FlaggedID: of.candidate.FlaggedID.String(), Bank: of.candidate.Bank, View: a.Variant.View(),
		Similarity: a.Share(), Score: a.Score(), BlockAt: keypoint.BlockAt, ReviewAt: &reviewAt, Evidence: &e.Evidence,
	}
	switch {
	case e.HasVector:
		hit.Model, hit.Query = &m.models[model].info, e.query
		hit.Candidate = &verdict.Hit{
			Signal: event.SignalEmbedding, FlaggedID: hit.FlaggedID, Bank: hit.Bank, View: e.View, Similarity: e.Similarity, Score: e.Score,
			Query: e.query, Model: hit.Model,
		}
	case e.PDQ >= 0:
		hit.Query, hit.Turn = e.hash.view, e.hash.turn
		hit.Candidate = &verdict.Hit{
			Signal: event.SignalPDQ, FlaggedID: hit.FlaggedID, Bank: hit.Bank, View: e.pdqView, Similarity: equalBits(e.PDQ), Score: equalBits(e.PDQ),
			Query: hit.Query, Turn: hit.Turn,
		}
	}
	return hit
}
