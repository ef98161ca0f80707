package synth

import (
	"math"
	"math/rand/v2"
)

// tree stands at x, y and is size pixels high: a conifer or a crown of
// leaves.
func (c *canvas) tree(r *rand.Rand, x, y, size float64, leaf rgb) {
	trunk := hsl(0.08, 0.4, between(r, 0.12, 0.25))
	c.glow(x, y, size*0.5, size*0.1, 0.5, black)
	c.fill(path{{x - size*0.035, y}, {x - size*0.02, y - size*0.5}, {x + size*0.02, y - size*0.5}, {x + size*0.035, y}}, 1, flat(trunk))
	if chance(r, 0.4) {
		for i := range 5 {
			top, wide := y-size*(0.3+0.14*float64(i)), size*(0.3-0.05*float64(i))
			shade := leaf.times(0.7 + 0.12*float64(i))
			c.fill(path{{x, top - size*0.2}, {x + wide, top + size*0.1}, {x, top + size*0.05}, {x - wide, top + size*0.1}}, 1,
				func(px, _ float64) rgb { return shade.times(1.1 - 0.5*(px-x)/wide) })
		}
		return
	}
	for range 26 {
		a, d := r.Float64()*2*math.Pi, size*0.24*math.Sqrt(r.Float64())
		px, py := x+d*math.Cos(a), y-size*0.68+d*math.Sin(a)
		shade := leaf.times(between(r, 0.6, 1) + 0.5*(y-size*0.6-py)/size)
		c.fill(blob(r, px, py, size*between(r, 0.05, 0.11), 0.35), 1, flat(shade))
	}
}

// house has its lower left corner at x, y and is size pixels wide.
func (c *canvas) house(r *rand.Rand, x, y, size float64) {
	wall := hsl(r.Float64(), between(r, 0.1, 0.5), between(r, 0.45, 0.85))
	roof := hsl(between(r, -0.05, 0.1), 0.5, between(r, 0.2, 0.4))
	tall := size * between(r, 0.5, 0.9)
	c.glow(x+size/2, y, size*0.8, size*0.15, 0.6, black)
	c.fill(box(x, y-tall, size, tall), 1, func(px, py float64) rgb {
		return wall.times(1.05 - 0.35*(px-x)/size - 0.03*math.Mod(py, 6))
	})
	c.fill(path{{x - size*0.1, y - tall}, {x + size*0.5, y - tall - size*0.45}, {x + size*1.1, y - tall}}, 1,
		func(px, py float64) rgb { return roof.times(0.9 + 0.3*math.Sin(py*0.9) - 0.3*(px-x)/size) })
	glass := hsl(0.58, 0.3, between(r, 0.15, 0.6))
	for i := range 2 {
		wx := x + size*(0.12+0.5*float64(i))
		c.fill(box(wx, y-tall*0.8, size*0.24, tall*0.32), 1, flat(white))
		c.fill(box(wx+size*0.02, y-tall*0.77, size*0.2, tall*0.26), 1, flat(glass))
	}
	c.fill(box(x+size*0.4, y-tall*0.42, size*0.18, tall*0.42), 1, flat(roof.times(0.6)))
}

// ball is lit from the upper left; its colour comes from a skin of noise.
func (c *canvas) ball(n *noise, x, y, radius float64, a, b rgb, rough float64) {
	c.fill(ellipse(x, y, radius, radius, 0), 1, func(px, py float64) rgb {
		dx, dy := (px-x)/radius, (py-y)/radius
		dz := math.Sqrt(math.Max(0, 1-dx*dx-dy*dy))
		light := clamp(-0.5*dx - 0.6*dy + 0.62*dz)
		f := n.fractal(10+dx*rough/(0.4+dz)+x, 10+dy*rough/(0.4+dz)+y, 4)
		lit := mix(a, b, 2.5*f-0.75).times(0.18 + 0.95*light)
		return mix(lit, white, 0.8*math.Pow(light, 30))
	})
}

// vessel is a body turned about a vertical axis, standing at x, y; the
// outline gives half widths from top to bottom, evenly spaced.
func (c *canvas) vessel(n *noise, x, y, tall float64, outline []float64, colour rgb, stripes float64) {
	var left, right path
	for i, half := range outline {
		py := y - tall + tall*float64(i)/float64(len(outline)-1)
		left = append(left, point{x - half, py})
		right = append(right, point{x + half, py})
	}
	left, right = left.curve(), right.curve()
	p := append(path{}, left...)
	for i := len(right) - 1; i >= 0; i-- {
		p = append(p, right[i])
	}
	widest := 0.0
	for _, half := range outline {
		widest = math.Max(widest, half)
	}
	c.fill(p, 1, func(px, py float64) rgb {
		t := clamp((px - x + widest) / (2 * widest))
		light := 0.25 + 0.9*math.Pow(math.Sin(math.Pi*math.Pow(t, 0.7)), 1.2)
		f := n.fractal(px*0.02+x, py*0.05, 3)
		lit := colour.times(light * (0.8 + 0.4*f))
		if stripes > 0 && math.Sin(py*stripes) > 0.6 {
			lit = lit.times(0.5)
		}
		return mix(lit, white, 0.6*math.Exp(-math.Pow((t-0.28)/0.05, 2)))
	})
	top := outline[0]
	c.fill(ellipse(x, y-tall, top, top*0.22, 0), 1, flat(colour.times(0.3)))
}

// car is seen from the side; its wheels stand on y.
func (c *canvas) car(r *rand.Rand, x, y, size float64, paint rgb) {
	c.glow(x+size/2, y, size*0.65, size*0.1, 0.8, black)
	body := path{
		{x, y - size*0.06},
		{x, y - size*0.2},
		{x + size*0.2, y - size*0.23},
		{x + size*0.32, y - size*0.37},
		{x + size*0.7, y - size*0.37},
		{x + size*0.84, y - size*0.22},
		{x + size, y - size*0.18},
		{x + size, y - size*0.06},
	}
	c.fill(body.smooth(), 1, func(_, py float64) rgb { return paint.times(0.5 + 1.6*(y-py)/size) })
	glass := hsl(0.57, 0.25, between(r, 0.2, 0.5))
	c.fill(path{{x + size*0.27, y - size*0.23}, {x + size*0.35, y - size*0.34}, {x + size*0.5, y - size*0.34}, {x + size*0.5, y - size*0.23}}, 1, flat(glass))
	c.fill(path{{x + size*0.53, y - size*0.23}, {x + size*0.53, y - size*0.34}, {x + size*0.68, y - size*0.34}, {x + size*0.77, y - size*0.23}}, 1, flat(glass))
	for _, at := range []float64{0.2, 0.78} {
		c.fill(ellipse(x+size*at, y-size*0.07, size*0.085, size*0.085, 0), 1, flat(grey(0.06)))
		c.fill(ellipse(x+size*at, y-size*0.07, size*0.045, size*0.045, 0), 1, flat(grey(0.65)))
	}
}
