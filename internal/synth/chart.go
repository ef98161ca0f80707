package synth

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// chart is a diagram with a title.
func chart(c *canvas, r *rand.Rand) {
	w, _, u := c.size()
	back := hsl(r.Float64(), between(r, 0, 0.4), pick(r, []float64{0.08, 0.16, 0.9, 0.96, 1}))
	c.plot(r, back, true)
	title := set(bold, between(r, 20, 32)*u)
	text := words(r, among(r, 2, 4))
	c.write(title, text, between(r, 0.05, 0.9)*(w-title.width(text)), title.size*1.3, back.contrasting())
}

// plot draws one diagram over the whole canvas, with labels if asked.
func (c *canvas) plot(r *rand.Rand, back rgb, labels bool) {
	w, h, u := c.size()
	c.paint(flat(back))
	ink := mix(back, back.contrasting(), 0.8)
	left, top, right, bottom := 0.1*w, 0.14*h, 0.95*w, 0.9*h
	colours := make([]rgb, 7)
	hue, turn := r.Float64(), pick(r, []float64{0.03, 0.11, 0.17, 0.4})
	for i := range colours {
		colours[i] = hsl(hue+turn*float64(i), between(r, 0.4, 0.85), between(r, 0.35, 0.65))
	}
	kind := r.IntN(6)
	if kind != 2 {
		for i := range among(r, 3, 8) {
			y := bottom - (bottom-top)*float64(i)/8
			c.fill(box(left, y, right-left, 1.2*u), 0.25, flat(ink))
			if labels {
				c.write(set(regular, 12*u), fmt.Sprint(i*among(r, 5, 50)), left-38*u, y+4*u, ink)
			}
		}
		c.fill(box(left, bottom, right-left, 2.5*u), 1, flat(ink))
		c.fill(box(left, top, 2.5*u, bottom-top), 1, flat(ink))
	}
	area := frame{left, top, right, bottom}
	switch kind {
	case 0:
		c.bars(r, area, colours)
	case 1:
		c.lines(r, area, colours)
	case 2:
		c.pie(r, area, colours)
	case 3:
		c.scatter(r, area, colours)
	case 4:
		c.areas(r, area, colours)
	default:
		c.heatmap(r, area, colours)
	}
	if labels {
		x, y := between(r, 0.15, 0.7)*w, between(r, 0.16, 0.5)*h
		for i := range among(r, 2, 4) {
			c.fill(box(x, y+22*u*float64(i), 14*u, 14*u), 1, flat(colours[i]))
			c.write(set(regular, 13*u), words(r, 1), x+20*u, y+(22*float64(i)+12)*u, ink)
		}
	}
}

type frame struct{ left, top, right, bottom float64 }

func (f frame) at(x, y float64) point {
	return point{f.left + (f.right-f.left)*x, f.bottom - (f.bottom-f.top)*y}
}

func (c *canvas) bars(r *rand.Rand, f frame, colours []rgb) {
	n, parts := among(r, 4, 16), among(r, 1, 3)
	single := chance(r, 0.5)
	for i := range n {
		at := 0.0
		for part := range parts {
			next := at + between(r, 0.05, 0.95)/float64(parts)
			a, b := f.at((float64(i)+0.15)/float64(n), next), f.at((float64(i)+0.85)/float64(n), at)
			colour := colours[part]
			if parts == 1 && !single {
				colour = colours[i%len(colours)]
			}
			c.fill(box(a.x, a.y, b.x-a.x, b.y-a.y), 1, func(x, _ float64) rgb { return colour.times(1.1 - 0.25*(x-a.x)/(b.x-a.x)) })
			at = next
		}
	}
}

// walk is a random course of n values between 0 and 1.
func walk(r *rand.Rand, n int) []float64 {
	values := make([]float64, n)
	v, slope := between(r, 0.2, 0.8), between(r, -0.03, 0.03)
	for i := range values {
		v = math.Max(0.03, math.Min(0.97, v+slope+0.09*r.NormFloat64()))
		values[i] = v
	}
	return values
}

func (c *canvas) lines(r *rand.Rand, f frame, colours []rgb) {
	_, _, u := c.size()
	n := among(r, 8, 40)
	for i := range among(r, 1, 5) {
		var p path
		for k, v := range walk(r, n) {
			p = append(p, f.at(float64(k)/float64(n-1), v))
		}
		c.fill(p.stroke(between(r, 3, 8)*u), 1, flat(colours[i]))
		for _, at := range p {
			c.fill(ellipse(at.x, at.y, 5*u, 5*u, 0), 1, flat(colours[i].times(0.8)))
		}
	}
}

func (c *canvas) areas(r *rand.Rand, f frame, colours []rgb) {
	n := among(r, 10, 40)
	for i := range among(r, 2, 4) {
		p := path{f.at(1, 0), f.at(0, 0)}
		for k, v := range walk(r, n) {
			p = append(p, f.at(float64(k)/float64(n-1), v*(1-0.2*float64(i))))
		}
		colour := colours[i]
		c.fill(p, 0.85, func(_, y float64) rgb { return colour.times(0.7 + 0.5*(f.bottom-y)/(f.bottom-f.top)) })
	}
}

func (c *canvas) pie(r *rand.Rand, f frame, colours []rgb) {
	middle := f.at(between(r, 0.3, 0.7), 0.45)
	radius := (f.bottom - f.top) * between(r, 0.3, 0.5)
	at, hole := r.Float64()*2*math.Pi, pick(r, []float64{0, 0, 0.4, 0.6})
	left := 2 * math.Pi
	for i := 0; left > 0; i++ {
		part := math.Min(left, between(r, 0.25, 2))
		if left-part < 0.2 || i == len(colours)-1 {
			part = left
		}
		var p, inner path
		for k := 0; k <= 40; k++ {
			s, o := math.Sincos(at + part*float64(k)/40)
			p = append(p, point{middle.x + radius*o, middle.y + radius*s})
			inner = append(path{{middle.x + hole*radius*o, middle.y + hole*radius*s}}, inner...)
		}
		c.fill(append(p, inner...), 1, flat(colours[i]))
		at, left = at+part, left-part
	}
}

func (c *canvas) scatter(r *rand.Rand, f frame, colours []rgb) {
	_, _, u := c.size()
	for group := range among(r, 1, 5) {
		x, y, wide := r.Float64(), r.Float64(), between(r, 0.05, 0.2)
		slope := between(r, -1, 1)
		for range among(r, 25, 140) {
			dx := wide * r.NormFloat64()
			at := f.at(clamp(x+dx), clamp(y+slope*dx+0.6*wide*r.NormFloat64()))
			size := between(r, 3, 10) * u
			c.fill(ellipse(at.x, at.y, size, size, 0), 0.75, flat(colours[group]))
		}
	}
}

func (c *canvas) heatmap(r *rand.Rand, f frame, colours []rgb) {
	columns, rows, n := among(r, 6, 20), among(r, 5, 14), newNoise(r)
	scale := between(r, 0.15, 0.5)
	for i := range columns {
		for k := range rows {
			a := f.at(float64(i)/float64(columns), float64(k+1)/float64(rows))
			b := f.at(float64(i+1)/float64(columns), float64(k)/float64(rows))
			v := n.fractal(float64(i)*scale, float64(k)*scale, 2)
			c.fill(box(a.x, a.y, b.x-a.x-1, b.y-a.y-1), 1, flat(mix(colours[0].times(0.3), colours[1].times(1.5), 2.2*v-0.6)))
		}
	}
}
