package keypoint

import (
	"math"
	"slices"
)

// What makes points agree on a map.
const (
	loose    = 0.06 * Side // pixels by which a point may miss its place in the first guess, and in the final map
	tight    = 0.015 * Side
	maxScale = 0.7                // octaves by which its scale may differ from the map's
	maxAngle = 30 * math.Pi / 180 // by which its angle may
	rounds   = 4
	leastMap = 4 // points that a map must rest on
)

// Agreement is how much of a flag an upload shows.
type Agreement struct {
	Points  int     // of the flag that the upload shows where one map has them
	Visible int     // of the flag that the map brings into the upload's frame, large enough to be seen there
	Area    float64 // of the convex hull of Points, as a share of the flag's frame
	Shown   float64 // the share of the flag's frame that the map brings into the upload's
	Covered float64 // the share of the upload's frame that the flag covers by the map
	Variant Variant
	Support Support // where the map has the flag's points; where there is no map, the frame's

	Guided Guided // of candidates that Guide was asked of

	m homography // to Variant's upload
}

// Variant is what has to be done to the flag to make it the upload's.
type Variant int

// The variants.
const (
	Plain Variant = iota
	Mirrored
	Negative
)

// View names the variant as a flag's views are named.
func (v Variant) View() string { return [...]string{"original", "flip-horizontal", "negative"}[v] }

// Thresholds of the score, chosen on photographs and screenshots that no measure uses. From BlockAt on it is the picture;
// between the two perhaps another one of the same thing: portraits of one person in one pose had up to 0.066.
const (
	BlockAt  = 0.10
	ReviewAt = 0.03
)

// Fewer than LeastPoints agree by chance, or are a logo or a word; the score is in full from enoughPoints on.
const (
	LeastPoints  = 9
	enoughPoints = 12
)

// Score is how much of what the upload shows of the flag is accounted for: the share of the points that agree, times the
// share of the area that they span. From 0 to 1.
func (a Agreement) Score() float64 {
	if a.Points < LeastPoints || a.Shown == 0 {
		return 0
	}
	return a.Share() * min(1, a.Area/a.Shown) * min(1, float64(a.Points)/enoughPoints)
}

// Share is how many of the points that could be there are there.
func (a Agreement) Share() float64 {
	if a.Visible == 0 {
		return 0
	}
	return float64(a.Points) / float64(a.Visible)
}

// Upload is an upload's points, ready to be compared: as they are, mirrored and in the negative.
type Upload [3]Features

// Prepare makes the points of an upload ready.
func Prepare(f Features) Upload { return Upload{f, f.mirrored(), f.inverted()} }

// PrepareCoarse is Prepare for the coarse pass: mirrored and in the negative a third of the points, the first ones, say as much.
func PrepareCoarse(f Features) Upload {
	some := f
	some.Points = f.Points[:len(f.Points)/3]
	return Upload{f, some.mirrored(), some.inverted()}
}

// Verify looks for the flag in the upload in some variants, or in all, and returns the best agreement. The first that blocks is good enough.
func Verify(flag Features, upload Upload, variants ...Variant) Agreement {
	var best Agreement
	for i, v := range orAll(variants) {
		if a := agree(flag, upload[v]); i == 0 || a.Score() > best.Score() {
			best, best.Variant = a, v
		}
		if best.Score() >= BlockAt {
			break
		}
	}
	return best
}

// Agrees tells whether a map brings at least leastMap points together in one of the variants, which takes a part of the time of Verify.
func Agrees(flag Features, upload Upload, variants ...Variant) bool {
	return slices.ContainsFunc(orAll(variants), func(v Variant) bool {
		_, best := mapped(match(flag, upload[v]))
		return best != nil
	})
}

func orAll(variants []Variant) []Variant {
	if len(variants) == 0 {
		return []Variant{Plain, Mirrored, Negative}
	}
	return variants
}

func agree(flag, upload Features) Agreement {
	pairs := match(flag, upload)
	m, best := mapped(pairs)
	if best == nil {
		return Agreement{Support: support(flag, upload, framed(flag, upload)), m: framed(flag, upload)}
	}
	if better, found, ok := tilted(pairs, best, m, flag.Width, flag.Height); ok {
		m, best = better, found
	}
	a := Agreement{m: m, Support: support(flag, upload, m), Points: len(best), Area: hullArea(best) / float64(flag.Width*flag.Height)}
	a.Visible, a.Shown, a.Covered = visible(flag, upload, m)
	return a
}

// mapped finds the affine map that most pairs agree on, and these pairs: none where they are too few for it to rest on.
func mapped(pairs []pair) (m homography, best []pair) {
	if len(pairs) < leastMap {
		return m, nil
	}
	for _, p := range pairs {
		if found := agreeing(pairs, similarity(p), loose); len(found) > len(best) {
			best = found
		}
	}
	for range rounds {
		var ok bool
		if m, ok = fitAffine(best); !ok || len(best) < leastMap {
			return m, nil
		}
		best = agreeing(pairs, m, tight)
	}
	if len(best) < leastMap {
		return m, nil
	}
	return m, best
}

// agreeing are the pairs that a map brings together, in place, scale and angle.
func agreeing(pairs []pair, m homography, tolerance float64) []pair {
	local := m.at(0, 0)
	zoom, turn := local.zoom(), local.turn()
	var found []pair
	for _, p := range pairs {
		if !m.affine() {
			local = m.at(p.flag.X, p.flag.Y)
			zoom, turn = local.zoom(), local.turn()
		}
		limit := tolerance * max(1, min(zoom, 2))
		x, y := m.apply(p.flag.X, p.flag.Y)
		dx, dy := x-float64(p.upload.X), y-float64(p.upload.Y)
		if dx*dx+dy*dy > limit*limit {
			continue
		}
		if math.Abs(math.Log2(float64(p.upload.Scale/p.flag.Scale)/zoom)) > maxScale {
			continue
		}
		if math.Abs(math.Remainder(float64(p.upload.Angle-p.flag.Angle)-turn, 2*math.Pi)) > maxAngle {
			continue
		}
		found = append(found, p)
	}
	return found
}

// visible counts the flag's points that the map brings into the upload's frame, large enough to be seen, the share of its frame that
// it brings there, and the share of the upload's frame that this covers.
func visible(flag, upload Features, m homography) (points int, shown, covered float64) {
	inside := func(x, y float32) bool {
		u, v := m.apply(x, y)
		return u >= 0 && v >= 0 && u < float64(upload.Width) && v < float64(upload.Height)
	}
	for i := range flag.Points {
		p := &flag.Points[i]
		if float64(p.Scale)*m.at(p.X, p.Y).zoom() >= float64(upload.Finest) && inside(p.X, p.Y) {
			points++
		}
	}
	const steps = 16
	part := float64(flag.Width*flag.Height) / float64(upload.Width*upload.Height) / (steps * steps)
	for j := range steps {
		for i := range steps {
			x, y := (float32(i)+0.5)/steps*float32(flag.Width), (float32(j)+0.5)/steps*float32(flag.Height)
			if inside(x, y) {
				shown += 1.0 / (steps * steps)
				covered += part * m.at(x, y).area()
			}
		}
	}
	return points, shown, min(1, covered)
}
