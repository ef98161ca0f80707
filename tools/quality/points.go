package main

import (
	"cmp"
	"slices"

	"moderator/internal/keypoint"
	"moderator/internal/pdq"
	"moderator/internal/views"
)

// nearness is what makes a flag worth a closer look.
type nearness struct {
	score float32 // from which on
	most  int     // flags of an upload
}

// pointsGrid is the number of points that agree, for those pairs that the moderator would compare: the best of an upload
// by score and by PDQ. Where too few agree to block, never.
func pointsGrid(flags []features, queries []answered, scores, hashes *grid, near nearness) *grid {
	g := newGrid(len(queries), len(flags))
	g.fill(func(row int, into []float32) {
		var candidates []int
		for k := range flags {
			if scores.row(row)[k] >= near.score || hashes.row(row)[k] >= -views.CandidateBits {
				candidates = append(candidates, k)
			}
		}
		slices.SortFunc(candidates, func(a, b int) int { return cmp.Compare(scores.row(row)[b], scores.row(row)[a]) })
		for _, k := range candidates[:min(len(candidates), near.most)] {
			if hashes.row(row)[k] >= -pdq.MaxDistance {
				continue
			}
			if a := keypoint.Verify(flags[k].points, queries[row].asked); a.Sound() && a.Points >= keypoint.BlockAt {
				into[k] = float32(a.Points)
			}
		}
	})
	return g
}
