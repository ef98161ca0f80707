package keypoint

import (
	"math"
	"math/bits"
)

// Support is what an upload shows where a map has the flag's points. Two pages of one layout agree in a few points and
// contradict each other in most; a copy that is cut, blurred or written over has points that are missing.
type Support struct {
	Expected      int // points of the flag that are in the upload's frame and large enough to be seen there
	Agreeing      int // those of them that the upload has in the place, by their bits
	Contradicting int // those in whose place the upload has another point
	Bits          int // of 128 that differ in the points that agree, on average
	New           int // of Inside, in whose place the flag has no point
	Inside        int // points of the upload that are in the flag's frame and large enough to be seen in it

	Shared float64 // of the upload's points that agree, the share that agrees with other flags as well, by Contrast

	seen    pointSet // the upload's points that agree
	lacking pointSet // the flag's points that are expected and do not agree
}

// supportBits is how many bits of a point in the right place may differ.
const supportBits = 44

// support holds each point of the flag against the points of the upload that are where the map brings it.
func support(flag, upload Features, m homography) Support {
	places := placesOf(&upload)
	var s Support
	sum := 0
	near := make([]bool, len(upload.Points))
	for i := range flag.Points {
		p := &flag.Points[i]
		x, y := m.apply(p.X, p.Y)
		local := m.at(p.X, p.Y)
		zoom, turn := local.zoom(), local.turn()
		if x < border || y < border || x >= float64(upload.Width-border) || y >= float64(upload.Height-border) || float64(p.Scale)*zoom < float64(upload.Finest) {
			continue
		}
		s.Expected++
		radius := tight * max(1, min(zoom, 2))
		other, least, at := false, supportBits+1, 0
		for _, k := range places.around(x, y) {
			q := &upload.Points[k]
			dx, dy := x-float64(q.X), y-float64(q.Y)
			if dx*dx+dy*dy > radius*radius || math.Abs(math.Log2(float64(q.Scale/p.Scale)/zoom)) > maxScale {
				continue
			}
			other, near[k] = true, true
			if math.Abs(math.Remainder(float64(q.Angle-p.Angle)-turn, 2*math.Pi)) <= maxAngle {
				if n := bits.OnesCount64(p.Bits[0]^q.Bits[0]) + bits.OnesCount64(p.Bits[1]^q.Bits[1]); n < least {
					least, at = n, int(k)
				}
			}
		}
		if least <= supportBits {
			s.Agreeing++
			s.seen.add(at)
			sum += least
			continue
		}
		s.lacking.add(i)
		if other {
			s.Contradicting++
		}
	}
	if s.Agreeing > 0 {
		s.Bits = sum / s.Agreeing
	}
	back := m.inverse()
	for k := range upload.Points {
		q := &upload.Points[k]
		if back.divisor(float64(q.X), float64(q.Y)) <= 0 { // beyond the horizon
			continue
		}
		x, y := back.apply(q.X, q.Y)
		if x >= border && y >= border && x < float64(flag.Width-border) && y < float64(flag.Height-border) && float64(q.Scale)*back.at(q.X, q.Y).zoom() >= float64(flag.Finest) {
			s.Inside++
			if !near[k] {
				s.New++
			}
		}
	}
	return s
}

// framed maps the flag's frame to the upload's: what a copy without a change of its outline has.
func framed(flag, upload Features) homography {
	return homography{a: float64(upload.Width) / float64(flag.Width), e: float64(upload.Height) / float64(flag.Height)}
}
