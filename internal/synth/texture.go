package synth

import (
	"math"
	"math/rand/v2"
)

// texture is a surface seen from close by: wood, cloth, stone and the like,
// with something lying or painted on it.
func texture(c *canvas, r *rand.Rand) {
	w, h, u := c.size()
	n := newNoise(r)
	a := hsl(r.Float64(), between(r, 0.1, 0.6), between(r, 0.15, 0.4))
	b := hsl(r.Float64(), between(r, 0.1, 0.6), between(r, 0.5, 0.85))
	surfaces := []func(*canvas, *rand.Rand, *noise, rgb, rgb){wood, cloth, marble, bricks, pebbles, ripples, cracks}
	pick(r, surfaces)(c, r, n, a, b)
	for range among(r, 0, 3) { // stains
		x, y, size := r.Float64()*w, r.Float64()*h, between(r, 60, 260)*u
		c.glow(x, y, size, size*between(r, 0.5, 1.5), between(r, 0.3, 0.7), pick(r, []rgb{black, white, a, b}))
	}
	colours := palette(r, 4)
	for range among(r, 0, 4) {
		c.leaf(r, n, r.Float64()*w, r.Float64()*h, between(r, 25, 110)*u, r.IntN(4), pick(r, colours))
	}
	c.photograph(r)
}

// slanted returns coordinates along and across a random direction.
func slanted(r *rand.Rand) func(x, y float64) (along, across float64) {
	sin, cos := math.Sincos(between(r, 0, math.Pi))
	return func(x, y float64) (float64, float64) { return x*cos + y*sin, y*cos - x*sin }
}

func wood(c *canvas, r *rand.Rand, n *noise, _, _ rgb) {
	_, _, u := c.size()
	dark := hsl(between(r, 0.03, 0.12), between(r, 0.3, 0.6), between(r, 0.12, 0.35))
	light := hsl(between(r, 0.06, 0.13), between(r, 0.3, 0.6), between(r, 0.5, 0.75))
	turned, plank, rings := slanted(r), between(r, 70, 220)*u, between(r, 10, 26)
	c.paint(func(x, y float64) rgb {
		along, across := turned(x, y)
		board := math.Floor(across / plank)
		shift := 200 * n.at(board*3.7, 0.5)
		knot := n.fractal(shift+along*0.004/u, across*0.02/u, 3)
		ring := math.Abs(math.Sin(rings*knot + across*0.03/u))
		fibre := n.at(along*0.02/u, across*0.9/u)
		colour := mix(dark, light, 0.7*ring+0.3*fibre).times(0.7 + 0.6*n.at(board*1.3, 7))
		if across-board*plank < 3*u {
			return colour.times(0.3)
		}
		return colour
	})
}

func cloth(c *canvas, r *rand.Rand, n *noise, a, b rgb) {
	_, _, u := c.size()
	turned, thread := slanted(r), between(r, 4, 9)*u
	stripes := make([]rgb, among(r, 5, 12))
	for i := range stripes {
		stripes[i] = pick(r, []rgb{a, b, mix(a, b, 0.5), hsl(r.Float64(), 0.5, 0.4)})
	}
	band, fold := between(r, 20, 70)*u, between(r, 0.003, 0.009)/u
	c.paint(func(x, y float64) rgb {
		bend := n.fractal(x*fold, y*fold, 2)
		along, across := turned(x+90*u*bend, y+90*u*bend)
		i, j := int(math.Abs(along/band))%len(stripes), int(math.Abs(across/band))%len(stripes)
		over := math.Sin(along*2*math.Pi/thread)*math.Sin(across*2*math.Pi/thread) > 0
		colour := stripes[i]
		if over {
			colour = stripes[j]
		}
		return colour.times(0.35 + 1.2*bend + 0.1*math.Cos(across*2*math.Pi/thread))
	})
}

func marble(c *canvas, r *rand.Rand, n *noise, a, b rgb) {
	w, _, _ := c.size()
	turned, scale, bands, bend := slanted(r), between(r, 1.5, 4)/w, between(r, 6, 22), between(r, 1, 5)
	c.paint(func(x, y float64) rgb {
		along, across := turned(x*scale, y*scale)
		f := n.fractal(along*2+9, across*2+9, 6)
		g := n.fractal(along+bend*f, across-bend*f, 5)
		vein := math.Pow(1-math.Abs(math.Sin(bands*(g+0.3*along))), 3)
		return mix(mix(b, a, 1.6*g-0.3), a.times(0.4), vein)
	})
}

func bricks(c *canvas, r *rand.Rand, n *noise, a, b rgb) {
	_, _, u := c.size()
	wide, tall, mortar := between(r, 60, 130)*u, between(r, 24, 60)*u, between(r, 3, 7)*u
	joint := mix(grey(between(r, 0.3, 0.8)), b, 0.3)
	sin, cos := math.Sincos(between(r, -0.25, 0.25))
	c.paint(func(x, y float64) rgb {
		x, y = x*cos-y*sin+500, x*sin+y*cos+500
		row := math.Floor(y / tall)
		px := x + 0.5*wide*math.Mod(row, 2)
		column := math.Floor(px / wide)
		rough := n.fractal(x*0.06/u, y*0.06/u, 3)
		if math.Mod(y, tall) < mortar*(0.6+rough) || math.Mod(px, wide) < mortar*(0.6+rough) {
			return joint.times(0.6 + 0.6*rough)
		}
		return mix(a, b, 0.9*n.at(column*5.3, row*7.1)).times(0.55 + 0.9*rough)
	})
}

func pebbles(c *canvas, r *rand.Rand, n *noise, a, b rgb) {
	_, _, u := c.size()
	size, third := between(r, 40, 120)*u, hsl(r.Float64(), 0.3, 0.5)
	c.paint(func(x, y float64) rgb {
		bend := n.at(x*0.01/u, y*0.01/u)
		first, second, value := n.cells(x/size+bend, y/size)
		colour := mix(mix(a, b, 2*value), third, 2*value-1)
		return colour.times(step(0.02, 0.3, second-first) * (1.25 - 0.8*first) * (0.7 + 0.6*n.fractal(x*0.08/u, y*0.08/u, 2)))
	})
}

func ripples(c *canvas, r *rand.Rand, n *noise, a, b rgb) {
	w, h, _ := c.size()
	var drops []point
	for range among(r, 1, 4) {
		drops = append(drops, point{r.Float64() * w, r.Float64() * h})
	}
	pitch, scale := between(r, 18, 50)*h/480, between(r, 2, 5)/w
	c.paint(func(x, y float64) rgb {
		f, sum := n.fractal(x*scale, y*scale, 4), 0.0
		for _, d := range drops {
			distance := math.Hypot(x-d.x, y-d.y)
			sum += math.Sin(distance*2*math.Pi/pitch+4*f) / (1 + 2*distance/h)
		}
		return mix(a, b, f+0.5*sum)
	})
}

func cracks(c *canvas, r *rand.Rand, n *noise, a, b rgb) {
	w, _, u := c.size()
	size, scale := between(r, 70, 180)*u, between(r, 2, 6)/w
	rust := hsl(between(r, 0.02, 0.1), 0.7, between(r, 0.25, 0.45))
	c.paint(func(x, y float64) rgb {
		f := n.fractal(x*scale, y*scale, 6)
		first, second, value := n.cells(x/size+f, y/size+0.7*f)
		colour := mix(a, b, value+f-0.5)
		colour = mix(colour, rust, step(0.52, 0.6, f))
		return colour.times((0.25 + 0.75*step(0, 0.07, second-first)) * (0.75 + 0.5*f + 0.1*first))
	})
}
