package synth

import (
	"math"
	"math/rand/v2"
)

// street is a skyline across water or a street seen along its length.
func street(c *canvas, r *rand.Rand) {
	n, light := newNoise(r), newDaylight(r)
	if chance(r, 0.45) {
		c.skyline(r, n, light)
	} else {
		c.avenue(r, n, light)
	}
	c.photograph(r)
}

func (c *canvas) skyline(r *rand.Rand, n *noise, light daylight) {
	w, h, u := c.size()
	shore := between(r, 0.6, 0.88) * h
	sun := c.sky(r, n, light, shore)
	night := light.top.luma() < 0.15
	for layer := range 3 {
		t := float64(layer) / 2
		for x := -30 * u; x < w; {
			wide := between(r, 25, 110) * u
			tall := between(r, 0.08, 0.75) * shore * (1 - 0.35*t)
			wall := mix(light.haze, hsl(r.Float64(), between(r, 0.05, 0.35), between(r, 0.15, 0.6)), 0.3+0.7*t)
			if night {
				wall = wall.times(0.35)
			}
			c.tower(r, x, shore, wide, tall, wall, night)
			x += wide * between(r, 0.8, 1.5)
		}
	}
	if chance(r, 0.6) {
		c.water(r, n, shore, sun.x, light)
	} else {
		c.meadow(r, n, shore, hsl(between(r, 0.1, 0.4), 0.3, 0.25))
	}
}

// tower has its lower left corner at x, y.
func (c *canvas) tower(r *rand.Rand, x, y, wide, tall float64, wall rgb, night bool) {
	_, _, u := c.size()
	c.fill(box(x, y-tall, wide, tall), 1, func(px, py float64) rgb {
		return wall.times(1.15 - 0.4*(px-x)/wide + 0.1*(y-py)/tall)
	})
	if chance(r, 0.3) {
		c.fill(path{{x, y - tall}, {x + wide/2, y - tall - wide*between(r, 0.3, 1.2)}, {x + wide, y - tall}}, 1, flat(wall.times(0.8)))
	}
	stepX, stepY := between(r, 8, 16)*u, between(r, 9, 20)*u
	glass, lit := wall.times(0.45), hsl(between(r, 0.1, 0.16), 0.9, 0.7)
	for py := y - tall + stepY*0.5; py < y-stepY; py += stepY {
		for px := x + stepX*0.4; px < x+wide-stepX*0.6; px += stepX {
			colour := glass.times(between(r, 0.7, 1.5))
			if night && chance(r, 0.45) {
				colour = lit.times(between(r, 0.6, 1.1))
			}
			c.fill(box(px, py, stepX*0.55, stepY*0.55), 1, flat(colour))
		}
	}
}

// avenue looks along a street towards a vanishing point.
func (c *canvas) avenue(r *rand.Rand, n *noise, light daylight) {
	w, h, u := c.size()
	eye := point{between(r, 0.25, 0.75) * w, between(r, 0.35, 0.65) * h}
	c.sky(r, n, light, eye.y)
	tar := grey(between(r, 0.22, 0.42))
	c.fill(box(0, eye.y, w, h-eye.y), 1, func(x, y float64) rgb {
		depth := 0.05 + (y-eye.y)/(h-eye.y)
		return tar.times(0.6 + 0.8*n.fractal((x-eye.x)*0.04/depth/u, 3/depth, 3))
	})
	night := light.top.luma() < 0.15
	for _, side := range []float64{-1, 1} {
		gap := between(r, 0.35, 0.8) * w
		near := 1.6
		for near > 0.08 {
			far := near * between(r, 0.55, 0.8)
			wall := hsl(r.Float64(), between(r, 0.1, 0.55), between(r, 0.25, 0.7)).times(0.35 + 0.7*light.low.luma())
			c.facade(r, eye, side*gap, near, far, between(r, 0.5, 1.8)*h, 0.55*h, mix(wall, light.haze, 0.5*(1-near)), night)
			near = far
		}
	}
	for i := range 9 {
		a, b := math.Pow(0.6, float64(i)), math.Pow(0.6, float64(i)+0.5)
		ya, yb := eye.y+a*(h-eye.y)*1.2, eye.y+b*(h-eye.y)*1.2
		c.fill(path{{eye.x - 8*u*a, ya}, {eye.x + 8*u*a, ya}, {eye.x + 8*u*b, yb}, {eye.x - 8*u*b, yb}}, 0.8, flat(white))
	}
	for range among(r, 0, 4) {
		depth := between(r, 0.25, 0.9)
		size := 330 * u * depth
		x := eye.x + pick(r, []float64{-1, 1})*between(r, 0.15, 0.3)*w*depth - size/2
		c.car(r, x, eye.y+0.55*h*depth, size, hsl(r.Float64(), between(r, 0.1, 0.9), between(r, 0.2, 0.6)))
	}
}

// facade is a house front between two depths (1 is at the picture's edge,
// 0 at the vanishing point), gap pixels beside and tall pixels above the
// vanishing point where the depth is 1.
func (c *canvas) facade(r *rand.Rand, eye point, gap, near, far, tall, deep float64, wall rgb, night bool) {
	at := func(depth, up float64) point { return point{eye.x + gap*depth, eye.y + (deep-up*(tall+deep))*depth} }
	quad := func(d0, d1, u0, u1 float64) path { return path{at(d0, u0), at(d1, u0), at(d1, u1), at(d0, u1)} }
	c.fill(quad(near, far, 0, 1), 1, func(x, y float64) rgb {
		return wall.times(0.75 + 0.3*(eye.y-y)/tall + 0.25*math.Abs(x-eye.x)/float64(c.w))
	})
	floors, columns := among(r, 3, 8), among(r, 2, 5)
	lit := hsl(between(r, 0.1, 0.16), 0.9, 0.7)
	for floor := range floors {
		for column := range columns {
			// Depths are evenly spaced in 1/depth, as they are in the world.
			inverse := func(t float64) float64 { return 1 / (1/near + (1/far-1/near)*t) }
			d0 := inverse((float64(column) + 0.25) / float64(columns))
			d1 := inverse((float64(column) + 0.75) / float64(columns))
			u0, u1 := (float64(floor)+0.25)/float64(floors), (float64(floor)+0.8)/float64(floors)
			glass := mix(wall.times(0.4), hsl(0.57, 0.3, 0.5), 0.3*r.Float64())
			if night && chance(r, 0.4) {
				glass = lit
			}
			c.fill(quad(d0, d1, u0, u1), 1, flat(glass))
		}
	}
}
