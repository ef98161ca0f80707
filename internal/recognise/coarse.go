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

// promising gives those of the uploads whose keypoints are worth looking for at full resolution, which costs several times as much:
// another signal matches, or in a coarse pass some keypoints agree with those of a flag. Fewer keypoints bring fewer candidates, so the
// flags that are nearest by other signals are compared too.
func (v *verification) promising(ctx context.Context, uploads []int) ([]int, error) {
	worth := make([]bool, len(v.uploads))
	var unsure []int
	for _, i := range uploads {
		if worth[i] = slices.ContainsFunc(v.hits[i], weighed); !worth[i] {
			unsure = append(unsure, i)
		}
	}
	anyHit := func(verdict.Hit) bool { return true }
	qs, candidates, err := v.near(ctx, unsure, anyHit, func(u feature.Query) (keypoint.Upload, error) {
		points, err := CoarsePoints(grey(u), u.Width, u.Height)
		return keypoint.Prepare(points), err
	})
	if err != nil {
		return nil, err
	}
	err = each(ctx, len(unsure), func(k int) error {
		worth[unsure[k]] = slices.ContainsFunc(candidates[k], func(c matchdb.KeypointCandidate) bool {
			return agreement(c, qs[k].Upload).Points > 0
		})
		return nil
	})
	return slices.DeleteFunc(uploads, func(i int) bool { return !worth[i] }), err
}

// near finds the candidates of uploads by the keypoints that are found in each, and by those of its hits that are wanted.
func (v *verification) near(
	ctx context.Context, uploads []int, wanted func(verdict.Hit) bool, points func(feature.Query) (keypoint.Upload, error),
) ([]matchdb.KeypointQuery, [][]matchdb.KeypointCandidate, error) {
	qs := make([]matchdb.KeypointQuery, len(uploads))
	err := each(ctx, len(uploads), func(k int) error {
		upload, err := points(v.uploads[uploads[k]])
		if err != nil {
			return err
		}
		qs[k] = matchdb.KeypointQuery{Upload: upload, Most: v.candidates}
		for _, h := range v.hits[uploads[k]] {
			if wanted(h) {
				id, err := uuid.Parse(h.FlaggedID)
				if err != nil {
					return err
				}
				qs[k].Flags = append(qs[k].Flags, id)
			}
		}
		return nil
	})
	if err != nil || len(uploads) == 0 {
		return nil, nil, err
	}
	candidates, err := v.db.KeypointCandidates(ctx, qs)
	return qs, candidates, err
}

// agreement compares an upload with a candidate. Where the index found the candidate in one variant, only in that.
func agreement(c matchdb.KeypointCandidate, upload keypoint.Upload) keypoint.Agreement {
	if c.Votes > 0 {
		return keypoint.VerifyVariant(c.Points, upload, c.Variant)
	}
	return keypoint.Verify(c.Points, upload)
}
