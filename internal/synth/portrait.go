package synth

import (
	"math"
	"math/rand/v2"
)

// portrait is an invented person before a blurred background.
func portrait(c *canvas, r *rand.Rand) {
	w, h, u := c.size()
	n := newNoise(r)
	c.backdrop(r, n)
	f := face{
		x: between(r, 0.25, 0.75) * w, y: between(r, 0.38, 0.52) * h, size: between(r, 85, 150) * u,
		skin:  hsl(between(r, 0.03, 0.09), between(r, 0.3, 0.6), between(r, 0.25, 0.78)),
		hair:  hsl(between(r, 0, 0.13), between(r, 0, 0.7), between(r, 0.05, 0.6)),
		cloth: hsl(r.Float64(), between(r, 0.1, 0.8), between(r, 0.15, 0.65)),
	}
	if chance(r, 0.15) {
		f.hair = hsl(r.Float64(), 0.6, 0.45)
	}
	if chance(r, 0.3) {
		second := f
		second.x = math.Mod(f.x+between(r, 0.35, 0.6)*w, w)
		second.y += between(r, -30, 50) * u
		second.size *= between(r, 0.7, 0.95)
		second.skin, second.hair = hsl(0.06, 0.45, between(r, 0.25, 0.75)), hsl(0.08, 0.4, between(r, 0.05, 0.5))
		second.cloth = hsl(r.Float64(), 0.5, between(r, 0.2, 0.7))
		second.draw(c, r, n)
	}
	f.draw(c, r, n)
	c.photograph(r)
}

// backdrop is out of focus: soft discs or stripes over a gradient.
func (c *canvas) backdrop(r *rand.Rand, n *noise) {
	w, h, u := c.size()
	colours, turned := palette(r, 5), slanted(r)
	c.paint(func(x, y float64) rgb {
		along, _ := turned(x/w-0.5, y/h-0.5)
		return mix(colours[0], colours[1], along+0.5).times(0.7 + 0.6*n.fractal(x*0.006/u, y*0.006/u, 3))
	})
	switch r.IntN(3) {
	case 0:
		for range among(r, 10, 40) {
			size := between(r, 20, 110) * u
			c.glow(r.Float64()*w, r.Float64()*h, size, size, between(r, 0.3, 0.9), pick(r, colours))
		}
	case 1:
		for range among(r, 3, 9) {
			x, wide := r.Float64()*w, between(r, 20, 150)*u
			c.fill(box(x, 0, wide, h*between(r, 0.3, 1)), between(r, 0.3, 0.8), flat(pick(r, colours)))
		}
	default:
		for range among(r, 6, 25) {
			x, y, wide := r.Float64()*w, r.Float64()*h, between(r, 30, 160)*u
			c.fill(rounded(x, y, wide, wide*between(r, 0.3, 1.5), 6*u), 0.8, flat(pick(r, colours).times(between(r, 0.5, 1.2))))
		}
	}
}

type face struct {
	x, y, size        float64 // centre and half height of the head
	skin, hair, cloth rgb
}

func (f face) draw(c *canvas, r *rand.Rand, n *noise) {
	_, h, _ := c.size()
	x, y, s := f.x, f.y, f.size
	wide := s * between(r, 0.68, 0.85)
	lean := between(r, -0.12, 0.12)
	turned := func(p path) path { return p.turn(x, y, lean) }
	lit := func(base rgb) shader {
		return func(px, py float64) rgb {
			dx, dy := (px-x)/wide, (py-y)/s
			return base.times(1.02 - 0.32*dx - 0.22*dy - 0.25*dx*dx + 0.12*(n.fractal(px*0.05, py*0.05, 3)-0.5))
		}
	}
	long := between(r, 0.2, 1.9)
	if chance(r, 0.75) {
		c.fill(turned(path{{x - wide*1.2, y - s*0.3}, {x, y - s*1.25}, {x + wide*1.2, y - s*0.3}, {x + wide*1.15, y + s*long}, {x, y + s*long*0.8}, {x - wide*1.15, y + s*long}}.smooth()), 1, f.strands(n))
	}
	shoulders := path{{x - s*2, h + s}, {x - s*1.5, y + s*1.5}, {x - s*0.4, y + s*1.12}, {x + s*0.4, y + s*1.12}, {x + s*1.5, y + s*1.5}, {x + s*2, h + s}}
	stripe := between(r, 0, 0.4)
	c.fill(shoulders.smooth(), 1, func(px, py float64) rgb {
		k := 1.1 - 0.3*(px-x)/(2*s) + 0.5*(n.fractal(px*0.012, py*0.02, 3)-0.5)
		if math.Sin(py*20/s) > 0.7 {
			k *= 1 - stripe
		}
		return f.cloth.times(k)
	})
	c.fill(path{{x - s*0.33, y + s*0.6}, {x + s*0.33, y + s*0.6}, {x + s*0.42, y + s*1.25}, {x, y + s*1.45}, {x - s*0.42, y + s*1.25}}.smooth(), 1, lit(f.skin.times(0.78)))
	for _, side := range []float64{-1, 1} {
		c.fill(turned(ellipse(x+side*wide*1.0, y+s*0.05, s*0.12, s*0.22, 0)), 1, lit(f.skin.times(0.85)))
	}
	c.fill(turned(path{{x - wide, y - s*0.15}, {x - wide*0.8, y - s*0.8}, {x, y - s}, {x + wide*0.8, y - s*0.8}, {x + wide, y - s*0.15}, {x + wide*0.75, y + s*0.6}, {x, y + s}, {x - wide*0.75, y + s*0.6}}.smooth()), 1, lit(f.skin))
	f.features(c, r, wide, turned)
	f.fringe(c, r, n, wide, turned)
}

// features are eyes, brows, nose, mouth and sometimes a beard or glasses.
func (f face) features(c *canvas, r *rand.Rand, wide float64, turned func(path) path) {
	x, y, s := f.x, f.y, f.size
	if chance(r, 0.25) {
		c.fill(turned(path{{x - wide*0.9, y + s*0.1}, {x, y + s*0.38}, {x + wide*0.9, y + s*0.1}, {x + wide*0.7, y + s*0.75}, {x, y + s*1.12}, {x - wide*0.7, y + s*0.75}}.smooth()), 0.9, flat(f.hair))
	}
	apart, eye := wide*between(r, 0.38, 0.48), s*between(r, 0.1, 0.15)
	iris := hsl(pick(r, []float64{0.08, 0.3, 0.57}), 0.5, between(r, 0.15, 0.45))
	look, open := between(r, -0.4, 0.4)*eye, between(r, 0.45, 0.75)
	for _, side := range []float64{-1, 1} {
		ex, ey := x+side*apart, y-s*0.1
		c.glow(ex, ey, eye*2.1, eye*1.7, 0.35, black)
		c.fill(turned(ellipse(ex, ey, eye*1.3, eye*open, 0)), 1, flat(grey(0.93)))
		c.fill(turned(ellipse(ex+look, ey, eye*0.55, eye*0.55, 0)), 1, flat(iris))
		c.fill(turned(ellipse(ex+look, ey, eye*0.26, eye*0.26, 0)), 1, flat(black))
		c.fill(turned(ellipse(ex+look-eye*0.2, ey-eye*0.2, eye*0.13, eye*0.13, 0)), 1, flat(white))
		c.fill(turned(path{{ex - eye*1.4, ey - eye*1.1}, {ex, ey - eye*1.6}, {ex + eye*1.4, ey - eye*1.1}}.curve().stroke(eye*0.45)), 0.9, flat(f.hair.times(0.7)))
	}
	c.glow(x+s*0.06, y+s*0.2, s*0.14, s*0.3, 0.3, black)
	c.fill(turned(path{{x - s*0.02, y - s*0.05}, {x - s*0.13, y + s*0.3}, {x + s*0.1, y + s*0.32}}.curve().stroke(s*0.03)), 0.45, flat(f.skin.times(0.45)))
	mouth, smile := wide*between(r, 0.3, 0.5), between(r, -0.05, 0.16)*s
	lips := mix(f.skin, hsl(0.98, 0.6, 0.4), 0.6)
	my := y + s*0.55
	c.fill(turned(path{{x - mouth, my}, {x, my - s*0.05 + smile*0.4}, {x + mouth, my}, {x, my + s*0.06 + smile*1.4}}.smooth()), 1, flat(lips))
	if chance(r, 0.5) {
		c.fill(turned(path{{x - mouth*0.7, my + s*0.01}, {x, my + smile*0.5}, {x + mouth*0.7, my + s*0.01}, {x, my + s*0.03 + smile}}.smooth()), 1, flat(grey(0.9)))
	}
	if chance(r, 0.3) {
		for _, side := range []float64{-1, 1} {
			ring := ellipse(x+side*apart, y-s*0.08, eye*1.8, eye*1.6, 0)
			c.fill(turned(append(ring, ring[0]).stroke(s*0.04)), 1, flat(grey(0.08)))
		}
		c.fill(turned(box(x-apart+eye*1.8, y-s*0.11, 2*(apart-eye*1.8), s*0.04)), 1, flat(grey(0.08)))
	}
}

// fringe is the hair above the forehead, or a hat, or nothing.
func (f face) fringe(c *canvas, r *rand.Rand, n *noise, wide float64, turned func(path) path) {
	x, y, s := f.x, f.y, f.size
	switch r.IntN(6) {
	case 0: // bald
	case 1: // hat
		c.fill(turned(path{{x - wide*0.95, y - s*0.55}, {x - wide*0.85, y - s*1.45}, {x + wide*0.85, y - s*1.45}, {x + wide*0.95, y - s*0.55}}), 1, flat(f.cloth.times(0.6)))
		c.fill(turned(ellipse(x, y-s*0.55, wide*1.6, s*0.14, 0)), 1, flat(f.cloth.times(0.75)))
	default:
		part, low := between(r, -0.6, 0.6)*wide, between(r, 0.35, 0.6)*s
		c.fill(turned(path{{x - wide*1.05, y - s*0.2}, {x - wide*0.95, y - s*0.9}, {x, y - s*1.2}, {x + wide*0.95, y - s*0.9}, {x + wide*1.05, y - s*0.2}, {x + wide*0.75, y - low}, {x + part, y - s*0.75}, {x - wide*0.75, y - low}}.smooth()), 1, f.strands(n))
	}
}

// strands shades hair.
func (f face) strands(n *noise) shader {
	return func(px, py float64) rgb {
		k := n.fractal(px*0.25, py*0.02, 3)
		return f.hair.times(0.5 + 0.9*k - 0.3*(px-f.x)/f.size*0.5).times(1.1)
	}
}
