package main

import (
	"cmp"
	"maps"
	"math"
	"slices"
)

// ranking holds the scores of all pairs of one method, matches and others apart, from high to low.
type ranking struct {
	matches []float32 // one for each query of the sample
	others  []float32
	twins   []float32 // of a template with another caption and its flag
}

// rank sorts a grid's pairs of the queries that are kept. A query's own original is its match, unless it is a twin; a
// picture that was laid beside it is neither.
func rank(g *grid, queries []answered, keep func(answered) bool) ranking {
	var r ranking
	for i, q := range queries {
		if !keep(q) {
			continue
		}
		for k, score := range g.row(i) {
			switch {
			case k == q.original && q.twin:
				r.twins = append(r.twins, score)
			case k == q.original:
				r.matches = append(r.matches, score)
			case k != q.other:
				r.others = append(r.others, score)
			}
		}
	}
	descending(r.matches)
	descending(r.others)
	descending(r.twins)
	return r
}

func descending(s []float32) {
	slices.Sort(s)
	slices.Reverse(s)
}

// threshold is the lowest score that at most the share fpr of the others reach. With n others it lies just above the
// score of number floor(fpr n) + 1.
func (r ranking) threshold(fpr float64) float32 {
	allowed := int(fpr*float64(len(r.others)) + 1e-9)
	if allowed >= len(r.others) {
		return never
	}
	return math.Nextafter32(r.others[allowed], float32(math.Inf(1)))
}

// margins are the deciles, from low to high, of how far the matches that reach a threshold are above it.
func (r ranking) margins(threshold float32) (deciles [11]float32) {
	found, _ := slices.BinarySearchFunc(r.matches, threshold, func(score, threshold float32) int {
		if score >= threshold {
			return -1
		}
		return 1
	})
	for i := range deciles {
		if found > 0 {
			deciles[i] = r.matches[(found-1)*(10-i)/10] - threshold
		}
	}
	return deciles
}

// strict is the same ranking with the twins among the others.
func (r ranking) strict() ranking {
	others := slices.Concat(r.others, r.twins)
	descending(others)
	return ranking{matches: r.matches, others: others}
}

// reaching counts the scores of a descending list that are at least t; never never counts.
func reaching(s []float32, t float32) int {
	t = max(t, -math.MaxFloat32)
	n, _ := slices.BinarySearchFunc(s, t, func(score, t float32) int {
		if score >= t {
			return -1
		}
		return 1
	})
	return n
}

// recall is the share of matches that reach t.
func (r ranking) recall(t float32) float64 {
	if len(r.matches) == 0 {
		return 0
	}
	return float64(reaching(r.matches, t)) / float64(len(r.matches))
}

// quality returns the area under the curve of precision over recall, all pairs in one list ("micro average precision",
// µAP, as in the Image Similarity Challenge of 2021), and the highest recall at a precision of 90 %. Among equal scores
// the others come first.
func (r ranking) quality() (microAP, recallAt90 float64) {
	if len(r.matches) == 0 {
		return 0, 0
	}
	others := 0
	for i, score := range r.matches {
		if score == never {
			break
		}
		for others < len(r.others) && r.others[others] >= score {
			others++
		}
		precision := float64(i+1) / float64(i+1+others)
		microAP += precision
		if precision >= 0.9 {
			recallAt90 = float64(i+1) / float64(len(r.matches))
		}
	}
	return microAP / float64(len(r.matches)), recallAt90
}

// pair is an upload and a flag.
type pair struct {
	query, flag int
	score       float32
}

// mostAlike returns the n pairs of the highest score that are no match, from high to low, one for each two originals.
func (m *method) mostAlike(queries []answered, n int) []pair {
	best := map[[2]int]pair{}
	for i, q := range queries {
		for k, score := range m.grid.row(i) {
			if k == q.other || k == q.original {
				continue
			}
			key := [2]int{min(q.original, k), max(q.original, k)}
			if old, ok := best[key]; score > never && (!ok || score > old.score) {
				best[key] = pair{i, k, score}
			}
		}
	}
	list := slices.SortedFunc(maps.Values(best), func(a, b pair) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.query, b.query), cmp.Compare(a.flag, b.flag))
	})
	return list[:min(len(list), n)]
}
