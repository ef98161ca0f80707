package recognise

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"moderator/internal/feature"
	"moderator/internal/keypoint"
	"moderator/internal/matchdb"
	"moderator/internal/verdict"
)

// CoarseCandidates is how many flags of the index the coarse pass compares an upload with: of 20,000 flags the fourth to the eighth
// bring no further copy, and a third more innocent uploads.
const CoarseCandidates = 3

// promising gives those of the uploads whose keypoints are worth looking for at full resolution, which costs several times as much:
// another signal matches, or in a coarse pass some keypoints agree with those of a flag, which is kept in agreed. Fewer keypoints bring
// fewer candidates, so the flags that are nearest by other signals are compared too.
func (v *verification) promising(ctx context.Context, uploads []int) ([]int, error) {
	v.agreed = make([][]uuid.UUID, len(v.uploads))
	unsure := slices.DeleteFunc(slices.Clone(uploads), v.matched)
	qs, candidates, err := v.near(ctx, unsure, min(CoarseCandidates, v.candidates), func(i int) ([]uuid.UUID, error) {
		flags, err := flagsOf(v.hits[i], func(verdict.Hit) bool { return true })
		return append(flags, v.nearest[i]...), err
	}, func(u feature.Query) (keypoint.Upload, error) {
		points, err := CoarsePoints(grey(u), u.Width, u.Height)
		return keypoint.PrepareCoarse(points), err
	})
	if err != nil {
		return nil, err
	}
	err = each(ctx, len(unsure), func(k int) error {
		i := unsure[k]
		for _, c := range candidates[k] {
			if keypoint.Agrees(c.Points, qs[k].Upload, variants(c)...) {
				v.agreed[i] = append(v.agreed[i], c.FlaggedID)
			}
		}
		return nil
	})
	return slices.DeleteFunc(uploads, func(i int) bool { return !v.matched(i) && len(v.agreed[i]) == 0 }), err
}

// near finds the candidates of uploads: at most most by the keypoints that are found in each, and some flags.
func (v *verification) near(
	ctx context.Context, uploads []int, most int, flags func(upload int) ([]uuid.UUID, error), points func(feature.Query) (keypoint.Upload, error),
) ([]matchdb.KeypointQuery, [][]matchdb.KeypointCandidate, error) {
	qs := make([]matchdb.KeypointQuery, len(uploads))
	err := each(ctx, len(uploads), func(k int) (err error) {
		q := &qs[k]
		if q.Upload, err = points(v.uploads[uploads[k]]); err != nil {
			return err
		}
		q.Most = most
		q.Flags, err = flags(uploads[k])
		return err
	})
	if err != nil || len(uploads) == 0 {
		return nil, nil, err
	}
	candidates, err := v.db.KeypointCandidates(ctx, qs)
	return qs, candidates, err
}

// flagsOf are the flags of hits that are wanted.
func flagsOf(hits []verdict.Hit, wanted func(verdict.Hit) bool) (flags []uuid.UUID, err error) {
	for _, h := range hits {
		if wanted(h) {
			id, err := uuid.Parse(h.FlaggedID)
			if err != nil {
				return nil, err
			}
			flags = append(flags, id)
		}
	}
	return flags, nil
}

// variants are those that a candidate is compared in: where the index found it in one, only that.
func variants(c matchdb.KeypointCandidate) []keypoint.Variant {
	if c.Votes > 0 {
		return []keypoint.Variant{c.Variant}
	}
	return nil
}
