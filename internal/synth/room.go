package synth

import (
	"math"
	"math/rand/v2"
)

// room looks into an interior: three walls, floor, ceiling, and furniture.
func room(c *canvas, r *rand.Rand) {
	w, h, u := c.size()
	n := newNoise(r)
	wall := hsl(r.Float64(), between(r, 0.05, 0.5), between(r, 0.35, 0.85))
	floor := hsl(between(r, 0, 0.15), between(r, 0.1, 0.6), between(r, 0.2, 0.6))
	x0, x1 := between(r, 0, 0.42)*w, between(r, 0.58, 1)*w
	y0, y1 := between(r, 0.02, 0.3)*h, between(r, 0.5, 0.8)*h
	eye := point{(x0 + x1) / 2, (y0 + y1) / 2}
	plank, pattern, repeat := between(r, 0.06, 0.2), r.IntN(4), between(r, 8, 26)
	dado, second := between(r, 0, 0.35), hsl(r.Float64(), between(r, 0.1, 0.5), between(r, 0.2, 0.8))
	// paper is the wall's colour at a place of the wall, both from -0.5 to 0.5.
	paper := func(across, up float64) rgb {
		switch {
		case pattern == 0 && math.Sin(across*repeat*2*math.Pi) > 0.3:
			return mix(wall, second, 0.5)
		case pattern == 1 && up > dado:
			return second
		case pattern == 2 && math.Sin(across*repeat*2*math.Pi)*math.Sin(up*repeat*2*math.Pi) > 0.5:
			return mix(wall, second, 0.6)
		}
		return wall
	}
	c.paint(func(x, y float64) rgb {
		f := 0.85 + 0.3*n.fractal(x*0.02/u, y*0.02/u, 3)
		switch dx, dy := (x-eye.x)/(x1-x0), (y-eye.y)/(y1-y0); {
		case dy > 0.5 && dy >= math.Abs(dx):
			sx, sy := dx/dy, 1/dy
			k := 0.55 + 0.5*dy
			if math.Mod(sx+9, plank) < 0.008 || math.Mod(sy+math.Floor((sx+9)/plank)*0.37, 0.5) < 0.01 {
				k *= 0.5
			}
			return floor.times(k * f * (0.75 + 0.5*n.at(math.Floor((sx+9)/plank)*3.3, math.Floor(sy*2))))
		case dy < -0.5 && -dy >= math.Abs(dx):
			return mix(wall, white, 0.7).times((0.6 - 0.35*dy) * f)
		case dx < -0.5:
			return paper(0.5/dx, 0.5*dy/-dx).times((0.8 + 0.3*dx) * f)
		case dx > 0.5:
			return paper(0.5/dx, 0.5*dy/dx).times((0.5 + 0.35*dx) * f)
		default:
			return paper(dx, dy).times((0.9 - 0.3*dy + 0.2*dx) * f)
		}
	})
	rw, rh := x1-x0, y1-y0
	if chance(r, 0.6) {
		c.window(r, x0+between(r, 0.05, 0.5)*rw, y0+0.12*rh, rw*between(r, 0.25, 0.42), rh*0.5)
	}
	for range among(r, 1, 4) {
		c.picture(r, n, x0+between(r, 0.02, 0.75)*rw, y0+between(r, 0.1, 0.4)*rh, rw*between(r, 0.12, 0.28))
	}
	pieces := []func(*canvas, *rand.Rand, *noise, float64, float64, float64){sofa, shelf, lamp, plant, desk}
	for i := range among(r, 2, 4) {
		y := y1 + (0.15+0.22*float64(i))*(h-y1)
		pick(r, pieces)(c, r, n, between(r, 0.1, 0.75)*w, y, between(r, 110, 260)*u)
	}
	if chance(r, 0.5) {
		colour := hsl(r.Float64(), 0.5, 0.4)
		y := y1 + 0.6*(h-y1)
		for k := range 4 {
			t := 1 - 0.25*float64(k)
			c.fill(ellipse(eye.x, y, 0.35*w*t, 0.13*h*t, 0), 0.9, flat(colour.times(0.6+0.25*float64(k%2)+0.1*float64(k))))
		}
	}
	lampX := between(r, 0.2, 0.8) * w
	c.glow(lampX, y0, 0.5*w, 0.6*h, 0.3, hsl(0.12, 0.8, 0.85))
	c.photograph(r)
}

// picture is a frame with something painted in it.
func (c *canvas) picture(r *rand.Rand, n *noise, x, y, wide float64) {
	tall := wide * between(r, 0.6, 1.4)
	colours, scale := palette(r, 3), between(r, 2, 6)/wide
	c.fill(box(x+wide*0.04, y+wide*0.05, wide, tall), 0.4, flat(black))
	c.fill(box(x, y, wide, tall), 1, flat(hsl(0.09, between(r, 0, 0.6), between(r, 0.1, 0.5))))
	c.fill(box(x+wide*0.06, y+wide*0.06, wide*0.88, tall-wide*0.12), 1, func(px, py float64) rgb {
		f := n.fractal(px*scale+x, py*scale+y, 3)
		if f < 0.5 {
			return mix(colours[0], colours[1], 3*f-0.6)
		}
		return colours[2].times(0.7 + 0.6*f)
	})
}

func sofa(c *canvas, r *rand.Rand, n *noise, x, y, s float64) {
	colour := hsl(r.Float64(), between(r, 0.1, 0.7), between(r, 0.2, 0.6))
	soft := func(k float64) shader {
		return func(px, py float64) rgb {
			return colour.times(k * (0.75 + 0.4*n.fractal(px*0.04, py*0.04, 3) - 0.15*(px-x)/s))
		}
	}
	c.glow(x+s*0.6, y, s*0.9, s*0.2, 0.7, black)
	c.fill(rounded(x, y-s*0.75, s*1.2, s*0.6, s*0.1), 1, soft(0.85))
	c.fill(rounded(x, y-s*0.42, s*1.2, s*0.38, s*0.06), 1, soft(1.15))
	c.fill(rounded(x-s*0.12, y-s*0.55, s*0.2, s*0.52, s*0.08), 1, soft(1))
	c.fill(rounded(x+s*1.12, y-s*0.55, s*0.2, s*0.52, s*0.08), 1, soft(0.8))
	for i := range among(r, 0, 3) {
		px := x + s*(0.2+0.35*float64(i))
		c.fill(rounded(px, y-s*0.66, s*0.26, s*0.26, s*0.05).turn(px, y-s*0.5, 0.2), 1, flat(hsl(r.Float64(), 0.6, 0.5)))
	}
}

func shelf(c *canvas, r *rand.Rand, _ *noise, x, y, s float64) {
	frame := hsl(0.08, between(r, 0.1, 0.5), between(r, 0.15, 0.6))
	wide, tall := s*between(r, 0.5, 0.9), s*between(r, 1.1, 1.7)
	c.fill(box(x, y-tall, wide, tall), 1, flat(frame.times(0.4)))
	rows := among(r, 3, 5)
	for row := range rows {
		base := y - tall*float64(row)/float64(rows) - s*0.03
		for px := x + s*0.04; px < x+wide-s*0.08; {
			bw, bh := s*between(r, 0.03, 0.08), tall/float64(rows)*between(r, 0.5, 0.85)
			c.fill(box(px, base-bh, bw, bh), 1, flat(hsl(r.Float64(), between(r, 0.2, 0.7), between(r, 0.2, 0.7))))
			px += bw + s*0.004
		}
		c.fill(box(x, base, wide, s*0.03), 1, flat(frame))
	}
	c.fill(box(x, y-tall, s*0.03, tall), 1, flat(frame))
	c.fill(box(x+wide-s*0.03, y-tall, s*0.03, tall), 1, flat(frame.times(0.8)))
}

func lamp(c *canvas, r *rand.Rand, _ *noise, x, y, s float64) {
	shade := hsl(between(r, 0, 0.2), between(r, 0.2, 0.8), between(r, 0.6, 0.85))
	c.fill(box(x-s*0.015, y-s*1.2, s*0.03, s*1.2), 1, flat(grey(0.15)))
	c.fill(ellipse(x, y, s*0.18, s*0.05, 0), 1, flat(grey(0.15)))
	c.glow(x, y-s*1.25, s*0.8, s*0.8, 0.5, hsl(0.13, 0.9, 0.85))
	c.fill(path{{x - s*0.15, y - s*1.45}, {x + s*0.15, y - s*1.45}, {x + s*0.28, y - s*1.1}, {x - s*0.28, y - s*1.1}}, 1, flat(shade))
}

func plant(c *canvas, r *rand.Rand, n *noise, x, y, s float64) {
	leaf := hsl(between(r, 0.22, 0.42), between(r, 0.3, 0.7), between(r, 0.2, 0.45))
	c.vessel(n, x, y, s*0.4, []float64{s * 0.25, s * 0.22, s * 0.16}, hsl(r.Float64(), 0.5, 0.5), 0)
	for range among(r, 9, 18) {
		a := between(r, -2.8, -0.3)
		length := s * between(r, 0.4, 0.9)
		tip := point{x + length*math.Cos(a), y - s*0.4 + length*math.Sin(a)}
		bend := point{(x + tip.x) / 2, (y-s*0.4+tip.y)/2 - s*0.12}
		c.fill(path{{x, y - s*0.4}, {bend.x - s*0.05, bend.y}, tip, {bend.x + s*0.05, bend.y + s*0.05}}.smooth(), 1, flat(leaf.times(between(r, 0.6, 1.4))))
	}
}

func desk(c *canvas, r *rand.Rand, _ *noise, x, y, s float64) {
	wood := hsl(0.08, between(r, 0.2, 0.6), between(r, 0.25, 0.6))
	for _, at := range []float64{0.05, 1.1} {
		c.fill(box(x+s*at, y-s*0.6, s*0.06, s*0.6), 1, flat(wood.times(0.5)))
	}
	c.fill(path{{x, y - s*0.6}, {x + s*0.15, y - s*0.75}, {x + s*1.1, y - s*0.75}, {x + s*1.22, y - s*0.6}}, 1, flat(wood))
	c.fill(box(x, y-s*0.6, s*1.22, s*0.07), 1, flat(wood.times(0.7)))
	c.fill(rounded(x+s*0.35, y-s*1.15, s*0.55, s*0.36, s*0.02), 1, flat(grey(0.1)))
	a, b := hsl(r.Float64(), 0.7, 0.5), hsl(r.Float64(), 0.7, 0.3)
	c.fill(box(x+s*0.37, y-s*1.13, s*0.51, s*0.32), 1, func(px, _ float64) rgb { return mix(a, b, (px-x)/s) })
	c.fill(box(x+s*0.58, y-s*0.8, s*0.09, s*0.1), 1, flat(grey(0.15)))
}
