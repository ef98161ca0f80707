package main

import (
	"cmp"
	"slices"
	"sync"

	"moderator/internal/keypoint"
	"moderator/internal/pdq"
	"moderator/internal/recognise"
)

// closer compares the points of interest of uploads and flags that are near each other.
type closer struct {
	flags   []features
	queries []answered
	most    int // flags of an upload by its score, and as many by its hash
	known   sync.Map
}

// grid is the score of the points that agree, for those pairs that the moderator would compare: the best of an upload by
// the model's score and by PDQ.
func (c *closer) grid(scores, hashes *grid) *grid {
	g := newGrid(len(c.queries), len(c.flags))
	g.fill(func(row int, into []float32) {
		score, hash := scores.row(row), hashes.row(row)
		near := nearest(score, never, c.most)
		for _, k := range append(near, nearest(hash, -recognise.CandidateBits, c.most)...) {
			if hash[k] < -pdq.MaxDistance {
				into[k] = c.agreeing(row, k)
			}
		}
	})
	return g
}

// nearest are the places of the highest numbers of a row that are above never and at least from; at most most of them.
func nearest(row []float32, from float32, most int) []int {
	var places []int
	for k, v := range row {
		if v > never && v >= from {
			places = append(places, k)
		}
	}
	slices.SortFunc(places, func(a, b int) int { return cmp.Compare(row[b], row[a]) })
	return places[:min(len(places), most)]
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
