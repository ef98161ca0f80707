package main

import (
	"math"
	"runtime"
	"sync"

	"moderator/internal/dot"
	"moderator/internal/imaging"
	"moderator/internal/keypoint"
	"moderator/internal/pdq"
)

// grid holds a number for each query (row) and flag (column): the higher, the more alike.
type grid struct {
	rows, columns int
	at            []float32
}

// never is the score of what cannot be compared.
var never = float32(math.Inf(-1))

func newGrid(rows, columns int) *grid {
	g := &grid{rows, columns, make([]float32, rows*columns)}
	for i := range g.at {
		g.at[i] = never
	}
	return g
}

func (g *grid) row(i int) []float32 { return g.at[i*g.columns : (i+1)*g.columns] }

// raise keeps the higher of two grids' numbers, in g.
func (g *grid) raise(by *grid) {
	for i, v := range by.at {
		g.at[i] = max(g.at[i], v)
	}
}

// fill computes all rows on all cores.
func (g *grid) fill(compute func(row int, into []float32)) {
	eachOf(g.rows, func(row int) { compute(row, g.row(row)) })
}

// eachOf runs do for 0 to n-1 on all cores.
func eachOf(n int, do func(i int)) {
	var group sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		group.Go(func() {
			for i := w; i < n; i += workers {
				do(i)
			}
		})
	}
	group.Wait()
}

// vectorGrid compares one view of the queries with one view of the flags by inner product, less the shares of the
// normalised score if asked.
func vectorGrid(flags []features, queries []answered, query, flag imaging.View, normalised bool) *grid {
	g := newGrid(len(queries), len(flags))
	columns := make([]look, len(flags))
	for i := range flags {
		columns[i] = flags[i].looks[flag]
	}
	g.fill(func(row int, into []float32) {
		q, ok := queries[row].looks[query]
		if !ok {
			return
		}
		for i := range columns {
			f := &columns[i]
			if f.vector == nil {
				continue
			}
			into[i] = dot.Product(q.vector, f.vector)
			if normalised {
				into[i] -= q.penalty + f.penalty
			}
		}
	})
	return g
}

// pdqGrid compares one view of the queries with one view of the flags by PDQ: the number of differing bits, negated.
// Hashes of a quality below 50 say nothing.
func pdqGrid(flags []features, queries []answered, query, flag imaging.View) *grid {
	return hashGrid(flags, queries, query, func(f *features) []pdq.Hash {
		if l, ok := f.looks[flag]; ok && l.quality >= pdq.MinQuality {
			return []pdq.Hash{l.hash}
		}
		return nil
	})
}

// turnsGrid compares the queries with all eight turns of the flags by PDQ.
func turnsGrid(flags []features, queries []answered) *grid {
	return hashGrid(flags, queries, imaging.ViewOriginal, func(f *features) []pdq.Hash {
		if f.looks[imaging.ViewOriginal].quality >= pdq.MinQuality {
			return f.turns
		}
		return nil
	})
}

func hashGrid(flags []features, queries []answered, query imaging.View, hashes func(*features) []pdq.Hash) *grid {
	g := newGrid(len(queries), len(flags))
	columns := make([][]pdq.Hash, len(flags))
	for i := range flags {
		columns[i] = hashes(&flags[i])
	}
	g.fill(func(row int, into []float32) {
		q, ok := queries[row].looks[query]
		if !ok || q.quality < pdq.MinQuality {
			return
		}
		for i, hashes := range columns {
			for _, h := range hashes {
				into[i] = max(into[i], -float32(q.hash.Distance(h)))
			}
		}
	})
	return g
}

// exactGrid is 1 where the files are the same, byte for byte.
func exactGrid(flags []features, queries []answered) *grid {
	g := newGrid(len(queries), len(flags))
	g.fill(func(row int, into []float32) {
		for i := range flags {
			if queries[row].sum == flags[i].sum {
				into[i] = 1
			}
		}
	})
	return g
}

// overViews keeps the best over all pairs of views.
func overViews(flagViews, queryViews []imaging.View, compare func(query, flag imaging.View) *grid) *grid {
	var best *grid
	for _, q := range queryViews {
		for _, f := range flagViews {
			if g := compare(q, f); best == nil {
				best = g
			} else {
				best.raise(g)
			}
		}
	}
	return best
}

// union takes each signal for itself: a pair whose files are the same, whose hashes differ in at most 31 bits or whose points agree comes
// before all others; the rest is ordered by the vectors' score. Where the vectors' threshold lies, the union's lies.
func union(exact, hashes, points, vectors *grid) *grid {
	g := newGrid(vectors.rows, vectors.columns)
	for i, score := range vectors.at {
		switch {
		case exact.at[i] == 1:
			g.at[i] = certain + 2
		case hashes.at[i] >= -pdq.MaxDistance:
			g.at[i] = certain + 1 + (hashes.at[i]+pdq.Bits)/pdq.Bits
		case points.at[i] >= keypoint.BlockAt:
			g.at[i] = certain + points.at[i]
		default:
			g.at[i] = score
		}
	}
	return g
}

// certain is above any score of vectors: |q·r| is at most 1, and the shares are at most ½ each.
const certain = 3
