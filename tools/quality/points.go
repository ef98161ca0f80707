package main

import (
	"cmp"
	"slices"

	"moderator/internal/keypoint"
	"moderator/internal/pdq"
	"moderator/internal/views"
)

// pointsGrid is the number of points that agree, for those pairs that the moderator would compare: the best of an upload
// by score and by PDQ. Where too few agree to block, never.
func pointsGrid(flags []features, queries []answered, scores, hashes *grid, candidateAt float32) *grid {
	g := newGrid(len(queries), len(flags))
	g.fill(func(row int, into []float32) {
		var near []int
		for k := range flags {
			if scores.row(row)[k] >= candidateAt || hashes.row(row)[k] >= -views.CandidateBits {
				near = append(near, k)
			}
		}
		slices.SortFunc(near, func(a, b int) int { return cmp.Compare(scores.row(row)[b], scores.row(row)[a]) })
		for _, k := range near[:min(len(near), views.Candidates)] {
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
