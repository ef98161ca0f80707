package keypoint

import "math"

// fitAffine is the affine map of least squares; not ok where the points lie on a line, or the map is one that no copy has.
func fitAffine(pairs []pair) (homography, bool) {
	mx, my, mu, mv := centre(pairs)
	var xx, xy, yy, xu, yu, xv, yv float64
	for _, p := range pairs {
		x, y, u, v := float64(p.flag.X)-mx, float64(p.flag.Y)-my, float64(p.upload.X)-mu, float64(p.upload.Y)-mv
		xx, xy, yy = xx+x*x, xy+x*y, yy+y*y
		xu, yu, xv, yv = xu+x*u, yu+y*u, xv+x*v, yv+y*v
	}
	det := xx*yy - xy*xy
	if det <= 1e-3*(xx+yy)*(xx+yy) {
		return homography{}, false
	}
	m := homography{
		a: (xu*yy - yu*xy) / det, b: (yu*xx - xu*xy) / det,
		d: (xv*yy - yv*xy) / det, e: (yv*xx - xv*xy) / det,
	}
	m.c, m.f = mu-m.a*mx-m.b*my, mv-m.d*mx-m.e*my
	return m, m.at(0, 0).plausible()
}

func centre(pairs []pair) (mx, my, mu, mv float64) {
	n := float64(len(pairs))
	for _, p := range pairs {
		mx, my, mu, mv = mx+float64(p.flag.X)/n, my+float64(p.flag.Y)/n, mu+float64(p.upload.X)/n, mv+float64(p.upload.Y)/n
	}
	return mx, my, mu, mv
}

const (
	reweighted = 3 // times that an equation of least squares is divided by its divisor
	unknowns   = 8
	// flatness holds g and h back, as if each pair were this far off for a divisor that doubles over Side.
	flatness = 1e-4
)

// fitHomography is the map of least squares, by the direct linear transform with equations divided by the last divisor; not ok
// where the equations have no one solution.
func fitHomography(pairs []pair) (homography, bool) {
	mx, my, mu, mv := centre(pairs)
	var s [unknowns]float64 // a to h of centred coordinates in units of Side
	for range reweighted {
		var n [unknowns][unknowns + 1]float64 // normal equations
		for i := 6; i < unknowns; i++ {
			n[i][i] = flatness * float64(len(pairs))
		}
		for _, p := range pairs {
			x, y := (float64(p.flag.X)-mx)/Side, (float64(p.flag.Y)-my)/Side
			u, v := (float64(p.upload.X)-mu)/Side, (float64(p.upload.Y)-mv)/Side
			w := s[6]*x + s[7]*y + 1
			if w <= 0 {
				return homography{}, false
			}
			for _, row := range [2][unknowns + 1]float64{
				{x, y, 1, 0, 0, 0, -u * x, -u * y, u},
				{0, 0, 0, x, y, 1, -v * x, -v * y, v},
			} {
				for i := range unknowns {
					for j := range row {
						n[i][j] += row[i] * row[j] / (w * w)
					}
				}
			}
		}
		var ok bool
		if s, ok = solve(n); !ok {
			return homography{}, false
		}
	}
	g, h := s[6]/Side, s[7]/Side
	k := 1 - g*mx - h*my // the divisor at the origin
	if k <= 0 {
		return homography{}, false
	}
	return homography{
		a: (s[0] + mu*g) / k, b: (s[1] + mu*h) / k, c: (Side*s[2]-s[0]*mx-s[1]*my)/k + mu,
		d: (s[3] + mv*g) / k, e: (s[4] + mv*h) / k, f: (Side*s[5]-s[3]*mx-s[4]*my)/k + mv,
		g: g / k, h: h / k,
	}, true
}

// solve is Gauss's elimination with the largest pivot.
func solve(n [unknowns][unknowns + 1]float64) (s [unknowns]float64, ok bool) {
	const least = 1e-12
	for i := range n {
		pivot := i
		for j := i + 1; j < unknowns; j++ {
			if math.Abs(n[j][i]) > math.Abs(n[pivot][i]) {
				pivot = j
			}
		}
		n[i], n[pivot] = n[pivot], n[i]
		if math.Abs(n[i][i]) < least {
			return s, false
		}
		for j := i + 1; j < unknowns; j++ {
			k := n[j][i] / n[i][i]
			for c := i; c <= unknowns; c++ {
				n[j][c] -= k * n[i][c]
			}
		}
	}
	for i := unknowns - 1; i >= 0; i-- {
		s[i] = n[i][unknowns]
		for j := i + 1; j < unknowns; j++ {
			s[i] -= n[i][j] * s[j]
		}
		s[i] /= n[i][i]
	}
	return s, true
}

const (
	leastTilted = 12   // points that a tilted map must rest on
	wide        = 0.04 // of Side, by which points may miss the affine map
	moreTilted  = 1.15 // times as many points, or
	closer      = 0.7  // of the distance by which they miss, make it the better one
)

// tilted is a homography that explains the pairs better than the affine map that best agrees with: a picture of a picture, taken from
// one side.
func tilted(pairs, best []pair, affine homography, width, height int) (homography, []pair, bool) {
	found := agreeing(pairs, affine, wide*Side)
	var m homography
	for range rounds {
		if len(found) < leastTilted {
			return m, nil, false
		}
		var ok bool
		if m, ok = fitHomography(found); !ok || !m.plausible(width, height) {
			return m, nil, false
		}
		found = agreeing(pairs, m, tight)
	}
	better := float64(len(found)) >= moreTilted*float64(len(best)) || len(found) >= len(best) && missed(found, m) <= closer*missed(best, affine)
	return m, found, len(found) >= leastTilted && better
}

// missed is the distance by which a map misses the pairs' places, as the root of its mean square.
func missed(pairs []pair, m homography) float64 {
	sum := 0.0
	for _, p := range pairs {
		x, y := m.apply(p.flag.X, p.flag.Y)
		dx, dy := x-float64(p.upload.X), y-float64(p.upload.Y)
		sum += dx*dx + dy*dy
	}
	return math.Sqrt(sum / float64(len(pairs)))
}
