package pointindex

import (
	"cmp"
	"iter"
	"math"
	"slices"

	"moderator/internal/keypoint"
)

// Votes agree as the pairs of points do that keypoint.Verify begins with.
const (
	loose    = 0.06 * keypoint.Side // pixels by which a point may miss its place
	maxScale = 0.7 * perOctave
	maxAngle = 30 * turn / 360

	leastPoints = 3   // that a flag is a candidate with
	mostVotes   = 100 // of a flag in one variant that are held against each other: the nearest
)

// A vote weighs less the more bits of its code differ, and the more flags its point votes for.
const (
	bitsWeight = 1.0 / 40
	common     = 16 // votes of a point from which on it weighs clearly less
)

// ranked weighs the hits of each flag that agree on where the upload shows it.
func (x *Index) ranked(q *query, s *scratch, most int) []Candidate {
	often := make([]int32, len(q.points))
	for i := range s.hits {
		often[s.hits[i].query]++
	}
	weights := make([]float32, len(q.points))
	for i, n := range often {
		weights[i] = float32(1 / (1 + math.Log2(1+float64(n)/common)))
	}
	var found []Candidate
	for hits := range s.byFlag(q, int(x.flags.Load())) {
		slices.SortFunc(hits, func(a, b hit) int {
			return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(a.query, b.query), cmp.Compare(place(&a), place(&b)))
		})
		score, points := q.agreeing(hits[:min(len(hits), mostVotes)], weights)
		if points >= leastPoints && !x.isDeleted(hits[0].spot.flag) {
			found = append(found, Candidate{hits[0].spot.flag, score, points, q.variants[hits[0].query]})
		}
	}
	slices.SortFunc(found, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Variant, b.Variant))
	})
	// Of a flag the best variant counts.
	var best []Candidate
	for _, c := range found {
		if len(best) == most {
			break
		}
		if !slices.ContainsFunc(best, func(b Candidate) bool { return b.ID == c.ID }) {
			best = append(best, c)
		}
	}
	return best
}

// place is where the entry of a hit is, as a number.
func place(h *hit) uint32 {
	return uint32(h.spot.x) | uint32(h.spot.y)<<8 | uint32(h.spot.angle)<<16 | uint32(h.spot.scale)<<24
}

// byFlag yields the hits of each flag in each variant that has enough to be a candidate: of many flags these are a small part of all hits.
func (s *scratch) byFlag(q *query, flags int) iter.Seq[[]hit] {
	if need := flags * len(keypoint.Upload{}); len(s.votes) < need {
		s.votes = make([]uint32, need+need/8)
	}
	votes := func(h *hit) *uint32 {
		return &s.votes[int(h.spot.flag)*len(keypoint.Upload{})+int(q.variants[h.query])]
	}
	for i := range s.hits {
		*votes(&s.hits[i])++
	}
	// The votes become the place of the next hit.
	const placed = 1 << 31
	var ends []int
	total := 0
	s.sorted = slices.Grow(s.sorted[:0], len(s.hits))[:len(s.hits)]
	for i := range s.hits {
		at := votes(&s.hits[i])
		if *at < leastPoints {
			continue
		}
		if *at < placed {
			n := int(*at)
			*at = placed | uint32(total)
			total += n
			ends = append(ends, total)
		}
		s.sorted[*at&^placed] = s.hits[i]
		*at++
	}
	for i := range s.hits {
		*votes(&s.hits[i]) = 0
	}
	return func(yield func([]hit) bool) {
		from := 0
		for _, to := range ends {
			if !yield(s.sorted[from:to]) {
				return
			}
			from = to
		}
	}
}

// vote is a hit with its points' places in plain numbers: a flag's and the upload's.
type vote struct {
	flagX, flagY, x, y    float32 // pixels
	turned                float32 // from the flag to the upload, in steps of angle
	zoomed                float32 // in steps of scale
	weight                float32
	flagPoint, queryPoint uint32
}

// agreeing is the largest weight of votes for one place: each vote says where the whole flag would lie, and is held against
// all. A point of the flag or of the upload votes once.
func (q *query) agreeing(hits []hit, weights []float32) (score float32, points int) {
	if len(hits) < leastPoints {
		return 0, 0
	}
	votes := make([]vote, len(hits))
	for i := range hits {
		h := &hits[i]
		p := &q.points[h.query]
		votes[i] = vote{
			flagX: float32(h.spot.x) / perPixel, flagY: float32(h.spot.y) / perPixel, x: p.X, y: p.Y,
			turned: p.Angle/(2*math.Pi)*turn - float32(h.spot.angle),
			zoomed: q.sizes[h.query] - float32(h.spot.scale),
			weight: weights[h.query] * (1 - float32(h.distance)*bitsWeight), flagPoint: place(h), queryPoint: h.query,
		}
	}
	var with []*vote
	for i := range votes {
		with = votes[i].supporters(votes, with[:0])
		var sum float32
		for _, v := range with {
			sum += v.weight
		}
		if sum > score {
			score, points = sum, len(with)
		}
	}
	return score, points
}

// supporters are the votes that the map which v says brings together.
func (v *vote) supporters(votes []vote, with []*vote) []*vote {
	zoom := math.Exp2(float64(v.zoomed) / perOctave)
	sin, cos := math.Sincos(float64(v.turned) * 2 * math.Pi / turn)
	a, b := float32(zoom*cos), float32(zoom*sin)
	limit := float32(loose * max(1, min(zoom, 2)))
	for i := range votes {
		o := &votes[i]
		dx, dy := o.flagX-v.flagX, o.flagY-v.flagY
		missX, missY := a*dx-b*dy+v.x-o.x, b*dx+a*dy+v.y-o.y
		if missX*missX+missY*missY > limit*limit || max(o.zoomed-v.zoomed, v.zoomed-o.zoomed) > maxScale {
			continue
		}
		between := float64(o.turned - v.turned)
		if math.Abs(between-turn*math.Round(between/turn)) > maxAngle {
			continue
		}
		if !slices.ContainsFunc(with, func(w *vote) bool { return w.flagPoint == o.flagPoint || w.queryPoint == o.queryPoint }) {
			with = append(with, o)
		}
	}
	return with
}
