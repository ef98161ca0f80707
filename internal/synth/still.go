package synth

import (
	"math"
	"math/rand/v2"
	"sort"
)

// stillLife is fruit and vessels on a table.
func stillLife(c *canvas, r *rand.Rand) {
	w, h, u := c.size()
	n := newNoise(r)
	wall := hsl(r.Float64(), between(r, 0.05, 0.5), between(r, 0.12, 0.75))
	table := between(r, 0.4, 0.65) * h
	turned := slanted(r)
	paper := between(r, 0, 0.25)
	c.paint(func(x, y float64) rgb {
		along, _ := turned(x, y)
		k := 0.75 + 0.4*n.fractal(x*0.008/u, y*0.008/u, 4) + 0.35*x/w
		return wall.times(k * (1 - paper*step(0.5, 0.7, math.Sin(along*0.06/u))))
	})
	if chance(r, 0.4) {
		c.window(r, between(r, 0, 0.7)*w, between(r, -0.1, 0.1)*h, between(r, 120, 240)*u, table*0.8)
	}
	board := hsl(between(r, 0, 0.2), between(r, 0.1, 0.6), between(r, 0.2, 0.7))
	if chance(r, 0.3) {
		board = hsl(r.Float64(), 0.4, 0.6)
	}
	check, pitch := between(r, 0, 0.5), between(r, 30, 70)
	c.fill(box(0, table, w, h-table), 1, func(x, y float64) rgb {
		depth := 0.35 + (y-table)/(h-table)
		sx, sy := (x-w/2)/depth/u, 300/depth
		k := 0.55 + 0.6*n.fractal(sx*0.006, sy*0.15, 4) + 0.2*(1-x/w)
		if (int(math.Floor(sx/pitch))+int(math.Floor(sy/pitch)))%2 == 0 {
			k *= 1 - check
		}
		return board.times(k)
	})
	type thing struct{ x, y, size float64 }
	things := make([]thing, among(r, 3, 9))
	for i := range things {
		things[i] = thing{between(r, 0.08, 0.92) * w, table + between(r, 0.08, 0.9)*(h-table), between(r, 32, 75) * u}
	}
	sort.Slice(things, func(i, j int) bool { return things[i].y < things[j].y })
	for _, t := range things {
		c.glow(t.x+t.size*0.5, t.y, t.size*1.9, t.size*0.45, 0.75, black)
		c.object(r, n, t.x, t.y, t.size)
	}
	c.photograph(r)
}

// object stands on the table at x, y.
func (c *canvas) object(r *rand.Rand, n *noise, x, y, s float64) {
	colour := hsl(r.Float64(), between(r, 0.2, 0.9), between(r, 0.25, 0.6))
	switch r.IntN(6) {
	case 0, 1: // fruit
		hue := pick(r, []float64{0, 0.06, 0.11, 0.15, 0.25, 0.8})
		c.ball(n, x, y-s, s, hsl(hue, 0.85, 0.45), hsl(hue+between(r, 0.02, 0.12), 0.8, 0.5), between(r, 1, 6))
		c.fill(path{{x, y - 1.9*s}, {x + s*0.05, y - 2.15*s}, {x + s*0.2, y - 2.3*s}}.curve().stroke(s*0.09), 1, flat(hsl(0.08, 0.5, 0.2)))
	case 2: // bottle
		c.vessel(n, x, y, s*between(r, 3.4, 4.6), []float64{s * 0.2, s * 0.2, s * 0.22, s * 0.6, s * 0.68, s * 0.68, s * 0.66}, colour.times(0.7), 0)
		c.fill(box(x-s*0.66, y-s*1.5, s*1.32, s*0.8), 0.9, func(px, _ float64) rgb {
			return grey(0.9).times(1 - 0.5*math.Abs(px-x)/s)
		})
	case 3: // vase
		c.vessel(n, x, y, s*between(r, 2.2, 3.2), []float64{s * 0.55, s * 0.35, s * between(r, 0.5, 1), s * 1.05, s * 0.8, s * 0.45}, colour, between(r, 0, 0.3))
		for range among(r, 0, 7) {
			tip := point{x + between(r, -1.4, 1.4)*s, y - s*between(r, 3.2, 4.8)}
			c.fill(path{{x, y - 2.3*s}, {(x+tip.x)/2 + s*0.2, (y-2.3*s+tip.y)/2 - s*0.3}, tip}.curve().stroke(s*0.06), 1, flat(hsl(0.3, 0.5, 0.3)))
			c.flower(r, tip.x, tip.y, s*between(r, 0.25, 0.5))
		}
	case 4: // bowl
		c.vessel(n, x, y, s*0.95, []float64{s * 1.5, s * 1.4, s * 1.0, s * 0.5}, colour, 0)
		for range among(r, 2, 5) {
			hue := r.Float64()
			c.ball(n, x+between(r, -0.9, 0.9)*s, y-s*between(r, 1.05, 1.4), s*between(r, 0.3, 0.5), hsl(hue, 0.8, 0.4), hsl(hue+0.08, 0.8, 0.5), 3)
		}
	default: // mug or box
		if chance(r, 0.5) {
			ring := ellipse(x+s*0.8, y-s*0.8, s*0.4, s*0.42, 0)
			c.fill(append(ring, ring[0]).stroke(s*0.16), 1, flat(colour.times(0.7)))
			c.vessel(n, x, y, s*1.6, []float64{s * 0.8, s * 0.8, s * 0.8, s * 0.75}, colour, 0)
			return
		}
		tall, skew := s*between(r, 0.8, 2.6), s*0.35
		c.fill(box(x-s, y-tall, 2*s, tall), 1, func(px, _ float64) rgb { return colour.times(1 - 0.15*(px-x)/s) })
		c.fill(path{{x + s, y}, {x + s + skew, y - skew}, {x + s + skew, y - tall - skew}, {x + s, y - tall}}, 1, flat(colour.times(0.45)))
		c.fill(path{{x - s, y - tall}, {x - s + skew, y - tall - skew}, {x + s + skew, y - tall - skew}, {x + s, y - tall}}, 1, flat(colour.times(1.3)))
		c.write(set(bold, s*0.45), words(r, 1), x-s*0.85, y-tall*0.45, colour.contrasting())
	}
}

func (c *canvas) flower(r *rand.Rand, x, y, s float64) {
	petals, colour, angle := among(r, 5, 9), hsl(r.Float64(), 0.85, between(r, 0.5, 0.75)), r.Float64()
	for i := range petals {
		a := angle + 2*math.Pi*float64(i)/float64(petals)
		px, py := x+s*0.6*math.Cos(a), y+s*0.6*math.Sin(a)
		c.fill(ellipse(px, py, s*0.5, s*0.3, a), 1, flat(colour.times(0.8+0.3*math.Sin(a+2))))
	}
	c.fill(ellipse(x, y, s*0.3, s*0.3, 0), 1, flat(hsl(0.13, 0.9, 0.45)))
}

// window has its upper left corner at x, y.
func (c *canvas) window(r *rand.Rand, x, y, wide, tall float64) {
	light, frame := newDaylight(r), grey(between(r, 0.3, 0.95))
	c.fill(box(x, y, wide, tall), 1, flat(frame))
	rim := wide * 0.05
	for i := range 2 {
		for j := range 2 {
			pw, ph := (wide-3*rim)/2, (tall-3*rim)/2
			px, py := x+rim+float64(i)*(pw+rim), y+rim+float64(j)*(ph+rim)
			c.fill(box(px, py, pw, ph), 1, func(_, qy float64) rgb { return mix(light.top, light.low, (qy-y)/tall) })
		}
	}
	c.glow(x+wide/2, y+tall/2, wide*1.5, tall*1.3, 0.25, light.low)
}
