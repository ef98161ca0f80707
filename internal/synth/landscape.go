package synth

import (
	"math"
	"math/rand/v2"
)

// daylight is how a scene is lit: colours of the sky above and at the
// horizon, of the sun, and of what is far away.
type daylight struct{ top, low, sun, haze rgb }

func newDaylight(r *rand.Rand) daylight {
	switch r.IntN(5) {
	case 0: // noon
		h := between(r, 0.53, 0.62)
		return daylight{hsl(h, 0.7, between(r, 0.35, 0.55)), hsl(h, 0.5, 0.85), white, hsl(h, 0.35, 0.75)}
	case 1: // dusk
		h := between(r, 0.95, 1.08)
		return daylight{hsl(between(r, 0.6, 0.8), 0.5, 0.28), hsl(h, 0.9, 0.62), hsl(0.12, 1, 0.8), hsl(h, 0.45, 0.5)}
	case 2: // night
		h := between(r, 0.58, 0.72)
		return daylight{hsl(h, 0.6, 0.08), hsl(h, 0.5, 0.32), grey(0.95), hsl(h, 0.4, 0.26)}
	case 3: // overcast
		h := between(r, 0.5, 0.65)
		return daylight{hsl(h, 0.1, between(r, 0.35, 0.6)), hsl(h, 0.1, 0.82), grey(0.9), hsl(h, 0.12, 0.68)}
	default: // golden
		return daylight{hsl(0.56, 0.4, 0.5), hsl(between(r, 0.1, 0.16), 0.7, 0.8), hsl(0.13, 1, 0.88), hsl(0.1, 0.3, 0.68)}
	}
}

// sky paints everything above (and below) the horizon, with clouds and sun,
// and returns the sun's place.
func (c *canvas) sky(r *rand.Rand, n *noise, light daylight, horizon float64) point {
	w, h, u := c.size()
	sun := point{between(r, 0.1, 0.9) * w, between(r, 0.1, 0.85) * horizon}
	scale, cover, flatness := between(r, 1.5, 5)/w, between(r, 0.35, 0.65), between(r, 1.2, 4)
	cloud := mix(light.sun, light.low, between(r, 0, 0.7))
	dx, dy := r.Float64()*200, r.Float64()*200
	c.paint(func(x, y float64) rgb {
		base := mix(light.top, light.low, math.Pow(clamp(y/horizon), 1.3))
		if y < horizon {
			f := n.fractal(dx+x*scale, dy+y*scale*flatness, 5)
			k := step(cover, cover+0.16, f)
			base = mix(base, cloud.times(1.05-1.1*(f-cover)), 0.85*k)
		}
		return base
	})
	c.glow(sun.x, sun.y, 0.5*h, 0.5*h, 0.6, light.sun)
	radius := between(r, 8, 42) * u
	c.fill(ellipse(sun.x, sun.y, radius, radius, 0), 0.9, flat(light.sun))
	return sun
}

// ridge fills the ground below a mountain line.
func (c *canvas) ridge(r *rand.Rand, n *noise, base, height, scale float64, near, far rgb) {
	w, h, _ := c.size()
	offset, sharp := r.Float64()*200, chance(r, 0.5)
	var p path
	for i := 0; i <= 160; i++ {
		x := w * float64(i) / 160
		f := n.fractal(offset+x*scale/w, offset, 5)
		if sharp {
			f = 1 - math.Abs(2*f-1)*1.6
		}
		p = append(p, point{x, base - height*(2*f-0.7)})
	}
	p = append(p, point{w, h}, point{0, h})
	grain := between(r, 6, 16) * scale / w
	c.fill(p, 1, func(x, y float64) rgb {
		f := n.fractal(offset+x*grain, y*grain*0.7, 4)
		return mix(far, near, clamp((y-base+height)/(1.5*height))).times(0.55 + 0.9*f)
	})
}

func landscape(c *canvas, r *rand.Rand) {
	w, h, u := c.size()
	n, light := newNoise(r), newDaylight(r)
	horizon := between(r, 0.3, 0.72) * h
	sun := c.sky(r, n, light, horizon)
	ground := hsl(between(r, 0.05, 0.45), between(r, 0.15, 0.6), between(r, 0.25, 0.6)).times(0.4 + 0.9*light.low.luma())
	ridges := among(r, 1, 4)
	for i := range ridges {
		t := float64(i+1) / float64(ridges+1)
		c.ridge(r, n, horizon+0.12*h*t, between(r, 0.08, 0.3)*h*(1.2-t), between(r, 1.5, 7),
			mix(light.haze, ground, t+0.2), mix(light.haze, ground, t*0.8))
	}
	shore := horizon + between(r, 0.05, 0.2)*h
	switch r.IntN(5) {
	case 0:
		c.water(r, n, shore, sun.x, light)
	case 1:
		c.meadow(r, n, shore, ground)
	case 2:
		c.meadow(r, n, shore, ground)
		c.road(r, shore, w)
	case 3:
		c.dunes(r, n, shore, light)
	default:
		c.meadow(r, n, shore, ground.times(0.7))
		for range among(r, 1, 4) {
			c.house(r, between(r, 0.05, 0.85)*w, shore+between(r, 0.02, 0.3)*(h-shore), between(r, 50, 130)*u)
		}
	}
	if chance(r, 0.7) {
		leaf := ground.times(between(r, 0.4, 0.9))
		for range among(r, 1, 14) {
			y := shore + r.Float64()*r.Float64()*(h-shore)
			size := (30 + 200*(y-shore)/(h-shore)) * u * between(r, 0.7, 1.5)
			c.tree(r, r.Float64()*w, y, size, leaf)
		}
	}
	c.photograph(r)
}

// water mirrors what lies above the shore, broken by waves.
func (c *canvas) water(r *rand.Rand, n *noise, shore, sunX float64, light daylight) {
	_, h, u := c.size()
	tint, rough := hsl(between(r, 0.45, 0.62), 0.5, 0.3), between(r, 2, 12)*u
	first := max(0, min(int(shore), c.h-1))
	for y := first; y < c.h; y++ {
		depth := (float64(y) - shore) / (h - shore)
		for x := range c.w {
			wave := n.fractal(float64(x)*0.012/u, float64(y)*(0.35-0.27*depth)/u, 3) - 0.5
			from := min(max(2*first-y+int(wave*rough*6*(0.3+depth)), 0), first)
			seen := mix(c.pix[from*c.w+x], tint.times(0.5+light.low.luma()), 0.25+0.4*depth)
			if glint := math.Abs(float64(x)-sunX) / (40*u + 160*u*depth); wave > 0.08 && glint < 1 {
				seen = mix(seen, light.sun, (1-glint)*0.9)
			}
			c.pix[y*c.w+x] = seen.times(1 + 0.5*wave)
		}
	}
}

func (c *canvas) meadow(r *rand.Rand, n *noise, shore float64, ground rgb) {
	w, h, u := c.size()
	other := mix(ground, hsl(between(r, 0.1, 0.3), 0.5, 0.5), 0.5)
	c.fill(box(0, shore, w, h-shore), 1, func(x, y float64) rgb {
		depth := 0.15 + (y-shore)/(h-shore)
		f := n.fractal(x*0.03/depth/u, y*0.1/depth/u, 4)
		return mix(ground, other, 2*f-0.5).times(0.6 + 0.8*f)
	})
	flower := hsl(r.Float64(), 0.9, 0.65)
	for range among(r, 0, 250) {
		t := r.Float64()
		size := (1 + 5*t*t) * u
		c.fill(ellipse(r.Float64()*w, shore+t*t*(h-shore), size, size*0.7, 0), 1, flat(flower.times(between(r, 0.7, 1.1))))
	}
}

func (c *canvas) dunes(r *rand.Rand, n *noise, shore float64, light daylight) {
	_, h, u := c.size()
	sand := hsl(between(r, 0.06, 0.13), between(r, 0.3, 0.6), between(r, 0.45, 0.7))
	for i := range among(r, 2, 5) {
		y := shore + float64(i)*0.09*h
		c.ridge(r, n, y+0.08*h, between(r, 0.04, 0.1)*h, between(r, 1, 3), sand.times(0.6+0.5*r.Float64()), mix(sand, light.haze, 0.4))
	}
	pitch := between(r, 5, 14) * u
	c.alter(func(x, y float64, old rgb) rgb {
		if y < shore+0.1*h {
			return old
		}
		bend := 40 * u * n.at(x*0.006/u, y*0.006/u)
		return old.times(1 + 0.12*math.Sin((y+bend+0.2*x)*2*math.Pi/pitch)*clamp((y-shore)/(0.4*h)))
	})
}

func (c *canvas) road(r *rand.Rand, shore, w float64) {
	_, h, u := c.size()
	from, to, half := between(r, 0.2, 0.8)*w, between(r, 0.1, 0.9)*w, between(r, 60, 200)*u
	bend := between(r, -0.25, 0.25) * w
	tar := grey(between(r, 0.2, 0.5))
	middle := func(t float64) float64 { return from + (to-from)*t + bend*math.Sin(t*math.Pi) }
	var left, right path
	for i := 0; i <= 30; i++ {
		t := float64(i) / 30
		y := shore + t*(h-shore)
		left = append(left, point{middle(t) - half*t*t - 1, y})
		right = append(path{{middle(t) + half*t*t + 1, y}}, right...)
	}
	c.fill(append(left, right...), 1, flat(tar))
	for i := range 10 {
		a, b := math.Pow(float64(i)/10, 1.2), math.Pow((float64(i)+0.5)/10, 1.2)
		ya, yb := shore+a*(h-shore), shore+b*(h-shore)
		wa, wb := 0.04*half*a*a, 0.04*half*b*b
		c.fill(path{{middle(a) - wa, ya}, {middle(a) + wa, ya}, {middle(b) + wb, yb}, {middle(b) - wb, yb}}, 0.9, flat(white))
	}
}
