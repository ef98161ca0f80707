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

// confirm looks closer at the flags that are nearest to an upload and do not block it yet, and returns a hit for each whose
// points of interest the upload shows.
func (m Matcher) confirm(ctx context.Context, uploads []feature.Query, hits [][]verdict.Hit) ([][]verdict.Hit, error) {
	confirmed := make([][]verdict.Hit, len(uploads))
	leads := make([][]lead, len(uploads))
	var wanted []uuid.UUID
	for i := range uploads {
		var err error
		if leads[i], err = leadsOf(hits[i], m.candidates); err != nil {
			return nil, err
		}
		for _, l := range leads[i] {
			wanted = append(wanted, l.flag)
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
		leads[i] = slices.DeleteFunc(leads[i], func(l lead) bool { _, ok := flags[l.flag]; return !ok })
		if len(leads[i]) > 0 {
			group.Go(func() (err error) {
				confirmed[i], err = compare(ctx, u, leads[i], flags)
				return err
			})
		}
	}
	return confirmed, group.Wait()
}

// lead is a hit that does not block, of a flag that is worth a closer look.
type lead struct {
	flag uuid.UUID
	hit  verdict.Hit
}

// leadsOf are the best hits of flags, of banks that nothing blocks for: at most so many by the score of each model, and as
// many by PDQ.
func leadsOf(hits []verdict.Hit, most int) ([]lead, error) {
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
	var leads []lead
	// Scores of two models do not compare: each has its leads.
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
		leads = append(leads, lead{id, h})
	}
	return leads, nil
}

// compare gives the hits by points of one upload.
func compare(ctx context.Context, u feature.Query, leads []lead, flags map[uuid.UUID]keypoint.Features) ([]verdict.Hit, error) {
	grey := &imaging.Gray{Width: u.Grey.Width, Height: u.Grey.Height, Pix: u.Grey.Luma}
	points, err := Points(grey, u.Width, u.Height, false)
	if err != nil {
		return nil, err
	}
	shown := keypoint.Prepare(points)
	var found []verdict.Hit
	for _, l := range leads {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if a := keypoint.Verify(flags[l.flag], shown); a.Score() >= keypoint.ReviewAt {
			reviewAt := keypoint.ReviewAt
			found = append(found, verdict.Hit{
				Signal: event.SignalKeypoints, FlaggedID: l.hit.FlaggedID, Bank: l.hit.Bank, View: a.Variant.View(),
				Similarity: a.Share(), Score: a.Score(), BlockAt: keypoint.BlockAt, ReviewAt: &reviewAt,
				Query: l.hit.Query, Model: l.hit.Model, Lead: &l.hit,
			})
		}
	}
	return found, nil
}
