package main

import (
	"sync"

	"moderator/internal/keypoint"
	"moderator/internal/pdq"
	"moderator/internal/pointindex"
)

// closer compares the keypoints of uploads with those of the flags that they may show a part of.
type closer struct {
	flags    []features
	queries  []answered
	most     int     // flags of an upload
	reviewAt float64 // the score of a match

	index    *pointindex.Index // of all flags' keypoints
	searched [][]pointindex.Candidate
	once     sync.Once
	known    sync.Map
}

// search finds the candidates of each upload, as the moderator does.
func (c *closer) search() {
	c.index, c.searched = pointindex.New(), make([][]pointindex.Candidate, len(c.queries))
	for i := range c.flags {
		c.index.Add(c.flags[i].points)
	}
	eachOf(len(c.queries), func(i int) { c.searched[i] = c.index.Search(c.queries[i].asked, c.most) })
}

// grid is the score of the keypoints that agree, for those pairs that the moderator would compare: the candidates of the index
// whose hashes do not match already.
func (c *closer) grid(hashes *grid) *grid {
	c.once.Do(c.search)
	g := newGrid(len(c.queries), len(c.flags))
	g.fill(func(row int, into []float32) {
		for _, candidate := range c.searched[row] {
			if k := int(candidate.ID); hashes.row(row)[k] < -pdq.MaxDistance {
				into[k] = c.agreeing(row, k, candidate.Variant)
			}
		}
	})
	return g
}

func (c *closer) agreeing(query, flag int, variant keypoint.Variant) float32 {
	pair := [2]int{query, flag}
	if score, ok := c.known.Load(pair); ok {
		return score.(float32)
	}
	score := float32(keypoint.Verify(c.flags[flag].points, c.queries[query].asked, variant).Score())
	c.known.Store(pair, score)
	return score
}
