package main

import (
	"cmp"
	"slices"
	"sync"

	"moderator/internal/keypoint"
	"moderator/internal/pdq"
	"moderator/internal/views"
)

// closer compares the points of interest of uploads and flags that are near each other.
type closer struct {
	flags       []features
	queries     []answered
	candidateAt float32 // score from which on a flag is near
	most        int     // flags of an upload
	known       sync.Map
}

// grid is the score of the points that agree, for those pairs that the moderator would compare: the best of an upload by
// the model's score and by PDQ.
func (c *closer) grid(scores, hashes *grid) *grid {
	g := newGrid(len(c.queries), len(c.flags))
	g.fill(func(row int, into []float32) {
		score, hash := scores.row(row), hashes.row(row)
		var near []int
		for k := range c.flags {
			if score[k] >= c.candidateAt || hash[k] >= -views.CandidateBits {
				near = append(near, k)
			}
		}
		slices.SortFunc(near, func(a, b int) int { return cmp.Compare(score[b], score[a]) })
		for _, k := range near[:min(len(near), c.most)] {
			if hash[k] < -pdq.MaxDistance {
				into[k] = c.agreeing(row, k)
			}
		}
	})
	return g
}

func (c *closer) agreeing(query, flag int) float32 {
	pair := [2]int{query, flag}
	if score, ok := c.known.Load(pair); ok {
		return score.(float32)
	}
	score := float32(keypoint.Verify(c.flags[flag].points, c.queries[query].asked).Score())
	c.known.Store(pair, score)
	return score
}
