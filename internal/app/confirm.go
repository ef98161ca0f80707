package app

import (
	"context"
	"maps"
	"runtime"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"moderator/internal/consumer"
	"moderator/internal/event"
	"moderator/internal/imaging"
	"moderator/internal/keypoint"
)

// confirm looks closer at the flags that are nearest to an upload and do not block it yet, and adds a hit for each whose
// points of interest the upload shows.
func (m matcher) confirm(ctx context.Context, uploads []consumer.Query, hits [][]consumer.Hit) error {
	leads := make([]map[uuid.UUID]consumer.Hit, len(uploads))
	var wanted []uuid.UUID
	for i := range uploads {
		var err error
		if leads[i], err = leadsOf(hits[i]); err != nil {
			return err
		}
		for id := range leads[i] {
			wanted = append(wanted, id)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	flags, err := m.db.Keypoints(ctx, wanted)
	if err != nil {
		return err
	}
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, u := range uploads {
		maps.DeleteFunc(leads[i], func(id uuid.UUID, _ consumer.Hit) bool { _, ok := flags[id]; return !ok })
		if len(leads[i]) > 0 {
			group.Go(func() error {
				found, err := compare(u, leads[i], flags)
				hits[i] = append(hits[i], found...)
				return err
			})
		}
	}
	return group.Wait()
}

// leadsOf are the best hits of flags that are worth a closer look: those that do not block, of banks that nothing blocks
// for. A flag that is near by its hash alone is no hit any more.
func leadsOf(hits []consumer.Hit) (map[uuid.UUID]consumer.Hit, error) {
	blocked := map[string]bool{}
	for _, h := range hits {
		blocked[h.Bank] = blocked[h.Bank] || h.Score >= h.BlockAt
	}
	leads := map[uuid.UUID]consumer.Hit{}
	for _, h := range hits {
		if blocked[h.Bank] {
			continue
		}
		id, err := uuid.Parse(h.FlaggedID)
		if err != nil {
			return nil, err
		}
		// A lead by the score can be weighed against the allow-list, so it goes before one by PDQ.
		if old, ok := leads[id]; !ok || old.Signal == event.SignalPDQ || h.Signal == old.Signal && h.Score > old.Score {
			leads[id] = h
		}
	}
	return leads, nil
}

// compare gives the hits by points of one upload.
func compare(u consumer.Query, leads map[uuid.UUID]consumer.Hit, flags map[uuid.UUID]keypoint.Features) ([]consumer.Hit, error) {
	grey := &imaging.Gray{Width: u.Grey.Width, Height: u.Grey.Height, Pix: u.Grey.Luma}
	points, err := Points(grey, u.Width, u.Height, false)
	if err != nil {
		return nil, err
	}
	shown := keypoint.Prepare(points)
	var found []consumer.Hit
	for id, lead := range leads {
		if a := keypoint.Verify(flags[id], shown); a.Score() >= keypoint.ReviewAt {
			reviewAt := keypoint.ReviewAt
			found = append(found, consumer.Hit{
				Signal: event.SignalKeypoints, FlaggedID: lead.FlaggedID, Bank: lead.Bank, View: a.Variant.View(),
				Similarity: a.Share(), Score: a.Score(), BlockAt: keypoint.BlockAt, ReviewAt: &reviewAt,
				Query: lead.Query, Lead: &lead,
			})
		}
	}
	return found, nil
}
