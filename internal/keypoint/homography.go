package keypoint

import "math"

// homography maps the flag's plane to the upload's: ((a x + b y + c) / w, (d x + e y + f) / w), where w is g x + h y + 1. It is affine
// where g and h are 0.
type homography struct{ a, b, c, d, e, f, g, h float64 }

func (m homography) affine() bool { return m.g == 0 && m.h == 0 }

// divisor is w.
func (m homography) divisor(x, y float64) float64 { return m.g*x + m.h*y + 1 }

func (m homography) apply(x, y float32) (float64, float64) {
	p, q := float64(x), float64(y)
	u, v := m.a*p+m.b*q+m.c, m.d*p+m.e*q+m.f
	if m.affine() {
		return u, v
	}
	w := m.divisor(p, q)
	return u / w, v / w
}

// at is the map's derivative at a place of the flag.
func (m homography) at(x, y float32) linear {
	if m.affine() {
		return linear{m.a, m.b, m.d, m.e}
	}
	w := m.divisor(float64(x), float64(y))
	u, v := m.apply(x, y)
	return linear{(m.a - u*m.g) / w, (m.b - u*m.h) / w, (m.d - v*m.g) / w, (m.e - v*m.h) / w}
}

// after is the map that does n first.
func (m homography) after(n homography) homography {
	k := m.g*n.c + m.h*n.f + 1
	return homography{
		a: (m.a*n.a + m.b*n.d + m.c*n.g) / k, b: (m.a*n.b + m.b*n.e + m.c*n.h) / k, c: (m.a*n.c + m.b*n.f + m.c) / k,
		d: (m.d*n.a + m.e*n.d + m.f*n.g) / k, e: (m.d*n.b + m.e*n.e + m.f*n.h) / k, f: (m.d*n.c + m.e*n.f + m.f) / k,
		g: (m.g*n.a + m.h*n.d + n.g) / k, h: (m.g*n.b + m.h*n.e + n.h) / k,
	}
}

// inverse is the map from the upload's plane to the flag's, by the adjugate matrix.
func (m homography) inverse() homography {
	k := m.a*m.e - m.b*m.d
	return homography{
		a: (m.e - m.f*m.h) / k, b: (m.c*m.h - m.b) / k, c: (m.b*m.f - m.c*m.e) / k,
		d: (m.f*m.g - m.d) / k, e: (m.a - m.c*m.g) / k, f: (m.c*m.d - m.a*m.f) / k,
		g: (m.d*m.h - m.e*m.g) / k, h: (m.b*m.g - m.a*m.h) / k,
	}
}

// mirrored is the map to the upload of this width, where m is to the mirrored one.
func (m homography) mirrored(width int) homography {
	last := float64(width - 1)
	m.a, m.b, m.c = last*m.g-m.a, last*m.h-m.b, last-m.c
	return m
}

const (
	maxShear = 2.2 // ratio of a map's longest to its shortest stretch
	maxZoom  = 8   // and the most that it may enlarge or reduce
	maxTilt  = 2.5 // ratio of the largest to the smallest divisor in the flag's frame
)

// plausible tells the maps that copies of a flag of width x height have.
func (m homography) plausible(width, height int) bool {
	least, most := math.Inf(1), math.Inf(-1)
	for _, corner := range [4][2]int{{0, 0}, {width, 0}, {0, height}, {width, height}} {
		w := m.divisor(float64(corner[0]), float64(corner[1]))
		least, most = min(least, w), max(most, w)
		if w <= 0 || !m.at(float32(corner[0]), float32(corner[1])).plausible() {
			return false
		}
	}
	return most <= maxTilt*least
}

// linear is the linear part of a map at a place: (a x + b y, d x + e y).
type linear struct{ a, b, d, e float64 }

func (l linear) area() float64 { return math.Abs(l.a*l.e - l.b*l.d) }
func (l linear) zoom() float64 { return math.Sqrt(l.area()) }
func (l linear) turn() float64 { return math.Atan2(l.d-l.b, l.a+l.e) }

// plausible is by the singular values. A map that mirrors is not.
func (l linear) plausible() bool {
	p, q := math.Hypot(l.a+l.e, l.d-l.b)/2, math.Hypot(l.a-l.e, l.d+l.b)/2
	long, short := p+q, p-q
	return short > 1.0/maxZoom && long < maxZoom && long < maxShear*short
}

// similarity is the map that one pair alone says: points have a scale and an angle.
func similarity(p pair) homography {
	k := float64(p.upload.Scale / p.flag.Scale)
	sin, cos := math.Sincos(float64(p.upload.Angle - p.flag.Angle))
	m := homography{a: k * cos, b: -k * sin, d: k * sin, e: k * cos}
	x, y := m.apply(p.flag.X, p.flag.Y)
	m.c, m.f = float64(p.upload.X)-x, float64(p.upload.Y)-y
	return m
}
