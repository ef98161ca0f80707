package recognise

import (
	"cmp"
	"context"
	"runtime"
	"slices"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"moderator/internal/event"
	"moderator/internal/feature"
	"moderator/internal/imaging"
	"moderator/internal/keypoint"
	"moderator/internal/verdict"
)

// confirm verifies the flags geometrically that are nearest to an upload and do not block it yet. It returns a hit for each whose
// points of interest the upload shows.
func (m Matcher) confirm(ctx context.Context, uploads []feature.Query, hits [][]verdict.Hit) ([][]verdict.Hit, error) {
	confirmed := make([][]verdict.Hit, len(uploads))
	candidates := make([][]candidate, len(uploads))
	var wanted []uuid.UUID
	for i := range uploads {
		var err error
		if candidates[i], err = candidatesOf(hits[i], m.candidates); err != nil {
			return nil, err
		}
		for _, c := range candidates[i] {
			wanted = append(wanted, c.flag)
		}
	}
	if len(wanted) == 0 {
		return confirmed, nil
	}
	flags, err := m.db.Keypoints(ctx, wanted)
	if err != nil {
		return nil, err
	}
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, u := range uploads {
		candidates[i] = slices.DeleteFunc(candidates[i], func(c candidate) bool { _, ok := flags[c.flag]; return !ok })
		if len(candidates[i]) > 0 {
			group.Go(func() (err error) {
				confirmed[i], err = compare(ctx, u, candidates[i], flags)
				return err
			})
		}
	}
	return confirmed, group.Wait()
}

// candidate is a hit that does not block, of a flag to verify geometrically.
type candidate struct {
	flag uuid.UUID
	hit  verdict.Hit
}

// candidatesOf are the best hits of flags, of banks that nothing blocks for: at most so many by the score of each model, and as
// many by PDQ.
func candidatesOf(hits []verdict.Hit, most int) ([]candidate, error) {
	blocked := map[string]bool{}
	for _, h := range hits {
		blocked[h.Bank] = blocked[h.Bank] || h.Allowed == nil && h.Score >= h.BlockAt
	}
	// Those by the score first: they can be weighed against the allow-list.
	byHash := func(h verdict.Hit) int {
		if h.Signal == event.SignalEmbedding {
			return 0
		}
		return 1
	}
	order := func(a, b verdict.Hit) int {
		return cmp.Or(byHash(a)-byHash(b), cmp.Compare(b.Score, a.Score), cmp.Compare(a.FlaggedID, b.FlaggedID))
	}
	var candidates []candidate
	// Scores of two models do not compare: each has its candidates.
	type source struct {
		signal event.Signal
		model  *event.ModelInfo
	}
	taken, from := map[uuid.UUID]bool{}, map[source]int{}
	for _, h := range slices.SortedStableFunc(slices.Values(hits), order) {
		id, err := uuid.Parse(h.FlaggedID)
		if err != nil {
			return nil, err
		}
		if blocked[h.Bank] || taken[id] || from[source{h.Signal, h.Model}] == most {
			continue
		}
		taken[id] = true
		from[source{h.Signal, h.Model}]++
		candidates = append(candidates, candidate{id, h})
	}
	return candidates, nil
}

// compare gives the hits by points of one upload.
func compare(ctx context.Context, u feature.Query, candidates []candidate, flags map[uuid.UUID]keypoint.Features) ([]verdict.Hit, error) {
	grey := &imaging.Gray{Width: u.Grey.Width, Height: u.Grey.Height, Pix: u.Grey.Luma}
	points, err := Points(grey, u.Width, u.Height, false)
	if err != nil {
		return nil, err
	}
	shown := keypoint.Prepare(points)
	var found []verdict.Hit
	for _, c := range candidates {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if a := keypoint.Verify(flags[c.flag], shown); a.Score() >= keypoint.ReviewAt {
			reviewAt := keypoint.ReviewAt
			found = append(found, verdict.Hit{
				Signal: event.SignalKeypoints, FlaggedID: c.hit.FlaggedID, Bank: c.hit.Bank, View: a.Variant.View(),
				Similarity: a.Share(), Score: a.Score(), BlockAt: keypoint.BlockAt, ReviewAt: &reviewAt,
				Query: c.hit.Query, Model: c.hit.Model, Candidate: &c.hit,
			})
		}
	}
	return found, nil
}
