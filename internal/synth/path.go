package synth

import (
	"math"
	"math/rand/v2"
)

type point struct{ x, y float64 }

// path is a closed outline.
type path []point

func (p path) bounds() (lo, hi point) {
	lo, hi = point{math.Inf(1), math.Inf(1)}, point{math.Inf(-1), math.Inf(-1)}
	for _, q := range p {
		lo = point{math.Min(lo.x, q.x), math.Min(lo.y, q.y)}
		hi = point{math.Max(hi.x, q.x), math.Max(hi.y, q.y)}
	}
	return lo, hi
}

func box(x, y, w, h float64) path {
	return path{{x, y}, {x + w, y}, {x + w, y + h}, {x, y + h}}
}

// rounded is a box with corners of a radius.
func rounded(x, y, w, h, radius float64) path {
	radius = math.Min(radius, math.Min(w, h)/2)
	var p path
	for corner, at := range []point{{x + w - radius, y + h - radius}, {x + radius, y + h - radius}, {x + radius, y + radius}, {x + w - radius, y + radius}} {
		for i := 0; i <= 6; i++ {
			a := (float64(corner) + float64(i)/6) * math.Pi / 2
			p = append(p, point{at.x + radius*math.Cos(a), at.y + radius*math.Sin(a)})
		}
	}
	return p
}

// ellipse is turned by an angle in radians.
func ellipse(x, y, rx, ry, angle float64) path {
	n := 16 + int(math.Sqrt(math.Max(rx, ry))*4)
	p := make(path, n)
	sin, cos := math.Sincos(angle)
	for i := range p {
		s, c := math.Sincos(2 * math.Pi * float64(i) / float64(n))
		p[i] = point{x + rx*c*cos - ry*s*sin, y + rx*c*sin + ry*s*cos}
	}
	return p
}

// blob is a wobbly circle.
func blob(r *rand.Rand, x, y, radius, wobble float64) path {
	n := among(r, 6, 11)
	p := make(path, n)
	for i := range p {
		a := 2 * math.Pi * float64(i) / float64(n)
		d := radius * (1 + wobble*(2*r.Float64()-1))
		p[i] = point{x + d*math.Cos(a), y + d*math.Sin(a)}
	}
	return p.smooth()
}

// smooth rounds the corners: a closed Catmull-Rom curve through the points.
func (p path) smooth() path {
	const parts = 8
	n := len(p)
	q := make(path, 0, n*parts)
	for i := range p {
		a, b, c, d := p[(i+n-1)%n], p[i], p[(i+1)%n], p[(i+2)%n]
		for k := range parts {
			q = append(q, between4(a, b, c, d, float64(k)/parts))
		}
	}
	return q
}

// curve is an open Catmull-Rom curve through the points, ends included.
func (p path) curve() path {
	const parts = 10
	if len(p) < 2 {
		return p
	}
	var q path
	for i := 0; i+1 < len(p); i++ {
		a, d := p[max(i-1, 0)], p[min(i+2, len(p)-1)]
		for k := range parts {
			q = append(q, between4(a, p[i], p[i+1], d, float64(k)/parts))
		}
	}
	return append(q, p[len(p)-1])
}

func between4(a, b, c, d point, t float64) point {
	f := func(a, b, c, d float64) float64 {
		return 0.5 * (2*b + (c-a)*t + (2*a-5*b+4*c-d)*t*t + (3*b-a-3*c+d)*t*t*t)
	}
	return point{f(a.x, b.x, c.x, d.x), f(a.y, b.y, c.y, d.y)}
}

// stroke is the outline of a line of a width along the points.
func (p path) stroke(width float64) path {
	n := len(p)
	q := make(path, 2*n)
	for i := range p {
		from, to := p[max(i-1, 0)], p[min(i+1, n-1)]
		dx, dy := to.x-from.x, to.y-from.y
		k := width / 2 / math.Max(math.Hypot(dx, dy), 1e-9)
		q[i] = point{p[i].x - dy*k, p[i].y + dx*k}
		q[2*n-1-i] = point{p[i].x + dy*k, p[i].y - dx*k}
	}
	return q
}

// turn rotates about a point by an angle in radians.
func (p path) turn(x, y, angle float64) path {
	q := make(path, len(p))
	sin, cos := math.Sincos(angle)
	for i, at := range p {
		dx, dy := at.x-x, at.y-y
		q[i] = point{x + dx*cos - dy*sin, y + dx*sin + dy*cos}
	}
	return q
}

// shift moves a path.
func (p path) shift(dx, dy float64) path {
	q := make(path, len(p))
	for i, at := range p {
		q[i] = point{at.x + dx, at.y + dy}
	}
	return q
}
