package keypoint

import "math"

// What makes points agree on a map.
const (
	loose    = 0.06 * Side // pixels by which a point may miss its place in the first guess, and in the final map
	tight    = 0.015 * Side
	maxScale = 0.7                // octaves by which its scale may differ from the map's
	maxAngle = 30 * math.Pi / 180 // by which its angle may
	rounds   = 4
	leastMap = 4   // points that a map must rest on
	maxShear = 2.2 // ratio of a map's longest to its shortest stretch
	maxZoom  = 8   // and the most that it may enlarge or reduce
)

// Agreement is how much of a flag an upload shows.
type Agreement struct {
	Points  int     // of the flag that the upload shows where one affine map has them
	Visible int     // of the flag that the map brings into the upload's frame, large enough to be seen there
	Area    float64 // of the convex hull of Points, as a share of the flag's frame
	Shown   float64 // the share of the flag's frame that the map brings into the upload's
	Covered float64 // the share of the upload's frame that the flag covers by the map
	Variant Variant
	Support Support // where the map has the flag's points; where there is no map, the frame's

	Guided Guided // of candidates that Guide was asked of

	m affine // to Variant's upload
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

// Verify looks for the flag in the upload, and returns the best agreement. The first that blocks is good enough.
func Verify(flag Features, upload Upload) Agreement {
	var best Agreement
	for i, f := range upload {
		if a := agree(flag, f); i == 0 || a.Score() > best.Score() {
			best, best.Variant = a, Variant(i)
		}
		if best.Score() >= BlockAt {
			break
		}
	}
	return best
}

// VerifyVariant is Verify for one variant, where it is known which one the upload may show.
func VerifyVariant(flag Features, upload Upload, v Variant) Agreement {
	a := agree(flag, upload[v])
	a.Variant = v
	return a
}

func agree(flag, upload Features) Agreement {
	pairs := match(flag, upload)
	unmapped := Agreement{Support: support(flag, upload, framed(flag, upload)), m: framed(flag, upload)}
	if len(pairs) < leastMap {
		return unmapped
	}
	var best []pair
	for _, p := range pairs {
		if found := agreeing(pairs, similarity(p), loose); len(found) > len(best) {
			best = found
		}
	}
	var m affine
	for range rounds {
		var ok bool
		if m, ok = fit(best); !ok || len(best) < leastMap {
			return unmapped
		}
		best = agreeing(pairs, m, tight)
	}
	if len(best) < leastMap {
		return unmapped
	}
	a := Agreement{m: m, Support: support(flag, upload, m), Points: len(best), Area: hullArea(best) / float64(flag.Width*flag.Height)}
	a.Visible, a.Shown = visible(flag, upload, m)
	zoom := math.Abs(m.a*m.e - m.b*m.d)
	a.Covered = min(1, a.Shown*zoom*float64(flag.Width*flag.Height)/float64(upload.Width*upload.Height))
	return a
}

// affine maps the flag's plane to the upload's: (a x + b y + c, d x + e y + f).
type affine struct{ a, b, c, d, e, f float64 }

func (m affine) apply(x, y float32) (float64, float64) {
	return m.a*float64(x) + m.b*float64(y) + m.c, m.d*float64(x) + m.e*float64(y) + m.f
}

// similarity is the map that one pair alone says: points have a scale and an angle.
func similarity(p pair) affine {
	k := float64(p.upload.Scale / p.flag.Scale)
	sin, cos := math.Sincos(float64(p.upload.Angle - p.flag.Angle))
	m := affine{a: k * cos, b: -k * sin, d: k * sin, e: k * cos}
	x, y := m.apply(p.flag.X, p.flag.Y)
	m.c, m.f = float64(p.upload.X)-x, float64(p.upload.Y)-y
	return m
}

// agreeing are the pairs that a map brings together, in place, scale and angle.
func agreeing(pairs []pair, m affine, tolerance float64) []pair {
	zoom := math.Sqrt(math.Abs(m.a*m.e - m.b*m.d))
	turn := math.Atan2(m.d-m.b, m.a+m.e)
	limit := tolerance * math.Max(1, math.Min(zoom, 2))
	var found []pair
	for _, p := range pairs {
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

// fit is the affine map of least squares; not ok where the points lie on a line, or the map is one that no copy has.
func fit(pairs []pair) (affine, bool) {
	n := float64(len(pairs))
	var mx, my, mu, mv float64
	for _, p := range pairs {
		mx, my, mu, mv = mx+float64(p.flag.X)/n, my+float64(p.flag.Y)/n, mu+float64(p.upload.X)/n, mv+float64(p.upload.Y)/n
	}
	var xx, xy, yy, xu, yu, xv, yv float64
	for _, p := range pairs {
		x, y, u, v := float64(p.flag.X)-mx, float64(p.flag.Y)-my, float64(p.upload.X)-mu, float64(p.upload.Y)-mv
		xx, xy, yy = xx+x*x, xy+x*y, yy+y*y
		xu, yu, xv, yv = xu+x*u, yu+y*u, xv+x*v, yv+y*v
	}
	det := xx*yy - xy*xy
	if det <= 1e-3*(xx+yy)*(xx+yy) {
		return affine{}, false
	}
	m := affine{
		a: (xu*yy - yu*xy) / det, b: (yu*xx - xu*xy) / det,
		d: (xv*yy - yv*xy) / det, e: (yv*xx - xv*xy) / det,
	}
	m.c, m.f = mu-m.a*mx-m.b*my, mv-m.d*mx-m.e*my
	// The singular values of the linear part.
	p, q := math.Hypot(m.a+m.e, m.d-m.b)/2, math.Hypot(m.a-m.e, m.d+m.b)/2
	long, short := p+q, p-q
	return m, short > 1.0/maxZoom && long < maxZoom && long < maxShear*short
}

// visible counts the flag's points that the map brings into the upload's frame, large enough to be seen, and the share of its frame.
func visible(flag, upload Features, m affine) (points int, share float64) {
	inside := func(x, y float32) bool {
		u, v := m.apply(x, y)
		return u >= 0 && v >= 0 && u < float64(upload.Width) && v < float64(upload.Height)
	}
	zoom := math.Sqrt(math.Abs(m.a*m.e - m.b*m.d))
	for i := range flag.Points {
		if float64(flag.Points[i].Scale)*zoom >= float64(upload.Finest) && inside(flag.Points[i].X, flag.Points[i].Y) {
			points++
		}
	}
	const steps = 16
	n := 0
	for j := range steps {
		for i := range steps {
			if inside((float32(i)+0.5)/steps*float32(flag.Width), (float32(j)+0.5)/steps*float32(flag.Height)) {
				n++
			}
		}
	}
	return points, float64(n) / (steps * steps)
}
