package main

import (
	"moderator/internal/evidence"
	"moderator/internal/imaging"
)

// sameFile is above any log-odds of evidence.
const sameFile = 1000

// evidenceGrid is what the moderator decides by: the log-odds of the candidates of its retrievers, and never for other pairs.
func evidenceGrid(flags []features, queries []answered, flagViews []imaging.View, candidates int, reviewAt float64) *grid {
	l := newLibrary(flags, []int{len(flags)}, flagViews, candidates, reviewAt)
	g := newGrid(len(queries), len(flags))
	batches := (len(queries) + searchedAtOnce - 1) / searchedAtOnce
	eachOf(batches, func(batch int) {
		from := batch * searchedAtOnce
		some := make([]*features, 0, searchedAtOnce)
		for i := from; i < min(len(queries), from+searchedAtOnce); i++ {
			some = append(some, &queries[i].features)
		}
		for k, found := range l.search(some, 0) {
			q := &queries[from+k]
			for _, c := range l.among(found, 0, l.most) {
				g.row(from + k)[c.flag] = float32(evidence.LogOdds(c.Evidence))
				if q.sum == flags[c.flag].sum {
					g.row(from + k)[c.flag] = sameFile
				}
			}
		}
	})
	return g
}

// blockAt is the log-odds from which a library of so many flags blocks.
func blockAt(flags int) float32 {
	return float32(evidence.For(flags, evidence.DefaultFalseBlocks).Block)
}
