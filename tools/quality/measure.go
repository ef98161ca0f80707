package main

import (
	"fmt"
	"strconv"
	"strings"

	"moderator/internal/imaging"
	"moderator/internal/keypoint"
	"moderator/internal/pdq"
	"moderator/internal/transforms"
)

// method is one way to compare, measured.
type method struct {
	name      string
	grid      *grid
	ranking   ranking
	threshold float32
	recall    map[string]float64 // by name of edit and of group, and "all"

	microAP, recallAt90 float64
	strict              float64 // recall of all edits if other captions on one template counted as false matches
	falseMatches        int
	falseOriginals      int // distinct originals behind the false matches' queries
}

// result is the whole measurement.
type result struct {
	queries []answered
	flags   int
	pairs   int // of queries and flags that are no match
	fpr     float64
	methods []*method
	sets    []setResult

	blockAt, reviewAt float32 // of the normalised score over views, at 1e-6 and 1e-5
}

// The methods by name.
const (
	exactHash  = "exact"
	pdqUpright = "pdq"
	pdqTurns   = "pdq+turns"
	raw        = "raw"
	normalised = "normalised"
	withViews  = "views"
	withPoints = "points"
	unionOfAll = "union"
	shipped    = "evidence" // what the moderator decides by
)

func everyQuery(answered) bool { return true }

// measure compares all queries with all flags in every way.
func measure(flags []features, queries []answered, flagViews, queryViews []imaging.View, near *closer, fpr float64) *result {
	r := &result{queries: queries, flags: len(flags), fpr: fpr}
	upright := []imaging.View{imaging.ViewOriginal}
	vectors := func(normal bool) func(q, f imaging.View) *grid {
		return func(q, f imaging.View) *grid { return vectorGrid(flags, queries, q, f, normal) }
	}
	hashes := func(q, f imaging.View) *grid { return pdqGrid(flags, queries, q, f) }

	exact := exactGrid(flags, queries)
	r.add(exactHash, exact, func(ranking) float32 { return 1 })
	r.add(pdqUpright, overViews(upright, upright, hashes), func(ranking) float32 { return -pdq.MaxDistance })
	r.add(pdqTurns, turnsGrid(flags, queries), r.atRate)
	r.add(raw, overViews(upright, upright, vectors(false)), r.atRate)
	r.add(normalised, overViews(upright, upright, vectors(true)), r.atRate)
	best := r.add(withViews, overViews(flagViews, queryViews, vectors(true)), r.atRate)
	allHashes := overViews(flagViews, queryViews, hashes)
	allHashes.raise(turnsGrid(flags, queries))
	points := near.grid(allHashes)
	r.add(withPoints, points, func(ranking) float32 { return keypoint.BlockAt })
	u := r.add(unionOfAll, union(exact, allHashes, points, best.grid), func(ranking) float32 { return best.threshold })
	u.strict = u.ranking.recall(r.atRate(best.ranking.strict()))
	r.add(shipped, evidenceGrid(flags, queries, flagViews, near.most, near.reviewAt), func(ranking) float32 { return blockAt(len(flags)) })
	r.pairs = len(best.ranking.others)
	r.blockAt, r.reviewAt = best.ranking.threshold(1e-6), best.ranking.threshold(1e-5)
	r.bySet()
	return r
}

func (r *result) atRate(k ranking) float32 { return k.threshold(r.fpr) }

// add ranks a method's pairs and counts.
func (r *result) add(name string, g *grid, threshold func(ranking) float32) *method {
	m := &method{name: name, grid: g, ranking: rank(g, r.queries, everyQuery), recall: map[string]float64{}}
	m.threshold = threshold(m.ranking)
	m.strict = m.ranking.recall(threshold(m.ranking.strict()))
	m.microAP, m.recallAt90 = m.ranking.quality()
	originals := map[int]bool{}
	found, asked := map[string]int{}, map[string]int{}
	for i, q := range r.queries {
		for k, score := range g.row(i) {
			hit := score >= m.threshold && score > never
			switch {
			case k == q.original && q.twin, k == q.other:
			case k == q.original:
				for _, name := range []string{q.edit.Name, string(q.edit.Group), "all"} {
					asked[name]++
					if hit {
						found[name]++
					}
				}
			case hit:
				m.falseMatches++
				originals[q.original] = true
			}
		}
	}
	for name, n := range asked {
		m.recall[name] = float64(found[name]) / float64(n)
	}
	m.falseOriginals = len(originals)
	r.methods = append(r.methods, m)
	return m
}

// method returns one by its name.
func (r *result) method(name string) *method {
	for _, m := range r.methods {
		if m.name == name {
			return m
		}
	}
	panic("quality: no method " + name)
}

// line is the result in one line.
func (r *result) line(images int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "quality: images=%d pairs=%d fpr=%s", images, r.pairs, rate(r.fpr))
	for _, part := range []struct{ prefix, method string }{{"", shipped}, {"pdq_", pdqUpright}} {
		for _, group := range append(transforms.Groups(), "all") {
			fmt.Fprintf(&b, " %s%s=%.3f", part.prefix, group, r.method(part.method).recall[string(group)])
		}
	}
	return b.String()
}

// rate writes 1e-6, not 1e-06.
func rate(f float64) string {
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, 64), "e")
	n, err := strconv.Atoi(exponent)
	if err != nil {
		return mantissa
	}
	return fmt.Sprintf("%se%d", mantissa, n)
}

// setResult is how one set of pictures fares among themselves.
type setResult struct {
	name           string
	queries, pairs int
	recall         map[string]float64 // of the methods, at thresholds of their own
	falseMatches   int                // by evidence
}

// bySet takes the queries and flags of one set alone.
func (r *result) bySet() {
	for _, name := range []string{photographs, memes, screens} {
		inSet := func(q answered) bool { return q.set == name }
		s := setResult{name: name, recall: map[string]float64{}}
		for _, m := range r.methods {
			k := rank(m.grid, r.queries, inSet)
			if len(k.matches) == 0 {
				continue
			}
			s.queries, s.pairs = len(k.matches), len(k.others)
			t := m.threshold
			switch m.name {
			case shipped:
				s.falseMatches = reaching(k.others, t)
			case unionOfAll:
				t = rank(r.method(withViews).grid, r.queries, inSet).threshold(r.fpr)
			case exactHash, pdqUpright, withPoints:
			default:
				t = k.threshold(r.fpr)
			}
			s.recall[m.name] = k.recall(t)
		}
		if s.queries > 0 {
			r.sets = append(r.sets, s)
		}
	}
}
