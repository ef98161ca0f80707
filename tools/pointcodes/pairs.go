package main

import (
	"math"
	"math/bits"

	"moderator/internal/keypoint"
)

// What makes a pair of points: few differing bits, and a map that it has in common with others.
const (
	mostBits   = 44
	leastPairs = 8
	mostMiss   = 10 // pixels
	mostZoom   = 0.5
	mostTurn   = 0.4
)

type both struct{ flag, upload *keypoint.Point }

// pairsOf are the points of a flag that an edit of it shows where one map has them.
func pairsOf(flag, upload keypoint.Features) []pair {
	var near []both
	for i := range flag.Points {
		best, least := 0, mostBits+1
		for j := range upload.Points {
			if d := distance(flag.Points[i].Bits, upload.Points[j].Bits); d < least {
				best, least = j, d
			}
		}
		if least <= mostBits {
			near = append(near, both{&flag.Points[i], &upload.Points[best]})
		}
	}
	var agreeing []both
	for _, p := range near {
		var with []both
		for _, q := range near {
			if p.agrees(q) {
				with = append(with, q)
			}
		}
		if len(with) > len(agreeing) {
			agreeing = with
		}
	}
	if len(agreeing) < leastPairs {
		return nil
	}
	pairs := make([]pair, len(agreeing))
	for i, p := range agreeing {
		pairs[i] = pair{p.flag.Bits, p.upload.Bits}
	}
	return pairs
}

// agrees tells whether the map that p says brings q's points together.
func (p both) agrees(q both) bool {
	zoom, turn := float64(p.upload.Scale/p.flag.Scale), float64(p.upload.Angle-p.flag.Angle)
	sin, cos := math.Sincos(turn)
	x, y := float64(q.flag.X-p.flag.X), float64(q.flag.Y-p.flag.Y)
	missX := zoom*(cos*x-sin*y) + float64(p.upload.X-q.upload.X)
	missY := zoom*(sin*x+cos*y) + float64(p.upload.Y-q.upload.Y)
	return math.Hypot(missX, missY) <= mostMiss && math.Abs(math.Log2(float64(q.upload.Scale/q.flag.Scale)/zoom)) <= mostZoom &&
		math.Abs(math.Remainder(float64(q.upload.Angle-q.flag.Angle)-turn, 2*math.Pi)) <= mostTurn
}

func distance(a, b keypoint.Bits) int {
	return bits.OnesCount64(a[0]^b[0]) + bits.OnesCount64(a[1]^b[1])
}

// forms are a description as it is, mirrored, in the negative, and both: what is learned holds for all of them.
func forms(b keypoint.Bits) [4]keypoint.Bits {
	prepared := keypoint.Prepare(keypoint.Features{Points: []keypoint.Point{{Bits: b}}})
	of := func(v keypoint.Variant) keypoint.Bits { return prepared[v].Points[0].Bits }
	both := keypoint.Prepare(prepared[keypoint.Mirrored])[keypoint.Negative].Points[0].Bits
	return [...]keypoint.Bits{b, of(keypoint.Mirrored), of(keypoint.Negative), both}
}
