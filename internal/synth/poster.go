package synth

import (
	"math"
	"math/rand/v2"
	"strings"
)

// poster is large type over large shapes.
func poster(c *canvas, r *rand.Rand) {
	w, h, u := c.size()
	colours := palette(r, 6)
	n := newNoise(r)
	turned := slanted(r)
	c.paint(func(x, y float64) rgb {
		along, _ := turned(x/w-0.5, y/h-0.5)
		return mix(colours[0], colours[1], 0.5+0.9*along)
	})
	switch r.IntN(5) {
	case 0: // rays
		centre, rays := point{r.Float64() * w, r.Float64() * h}, float64(among(r, 8, 24))
		c.alter(func(x, y float64, old rgb) rgb {
			if math.Sin(math.Atan2(y-centre.y, x-centre.x)*rays) > 0 {
				return mix(old, colours[2], 0.7)
			}
			return old
		})
	case 1: // rings
		x, y := r.Float64()*w, r.Float64()*h
		for i := range 9 {
			radius := (9 - float64(i)) * between(r, 25, 45) * u
			c.fill(ellipse(x, y, radius, radius, 0), 0.9, flat(colours[2+i%4]))
		}
	case 2: // stripes and blocks
		for range among(r, 5, 14) {
			x, y := between(r, -0.2, 1)*w, between(r, -0.2, 1)*h
			c.fill(box(x, y, between(r, 40, 350)*u, between(r, 20, 200)*u).turn(x, y, between(r, -0.6, 0.6)), 0.85, flat(pick(r, colours)))
		}
	case 3: // halftone
		pitch := between(r, 12, 28) * u
		scale := between(r, 1.5, 4) / w
		for y := pitch / 2; y < h; y += pitch {
			for x := pitch / 2; x < w; x += pitch {
				size := pitch * 0.75 * step(0.3, 0.7, n.fractal(x*scale, y*scale, 3))
				c.fill(ellipse(x, y, size, size, 0), 1, flat(colours[2]))
			}
		}
	default: // a thing in the middle
		x, y, s := between(r, 0.25, 0.75)*w, between(r, 0.6, 0.9)*h, between(r, 50, 90)*u
		c.fill(blob(r, x, y-s, s*3, 0.3), 0.9, flat(colours[2]))
		c.object(r, n, x, y, s)
	}
	c.slogans(r, colours)
	if chance(r, 0.6) {
		c.photograph(r)
	}
}

// slogans writes a few lines in different sizes and angles.
func (c *canvas) slogans(r *rand.Rand, colours []rgb) {
	w, h, u := c.size()
	y := between(r, 0.12, 0.4) * h
	for range among(r, 2, 4) {
		text := words(r, among(r, 1, 3))
		if chance(r, 0.5) {
			text = strings.ToUpper(text)
		}
		l := set(pick(r, []typeface{bold, bold, italic, smallCaps, mono}), between(r, 26, 95)*u)
		for l.width(text) > 0.94*w {
			l = set(bold, l.size*0.8)
		}
		x := between(r, 0.03, 0.97) * (w - l.width(text))
		colour := pick(r, []rgb{white, black, pick(r, colours)})
		if chance(r, 0.4) {
			c.fill(box(x-l.size*0.2, y-l.size, l.width(text)+l.size*0.4, l.size*1.3), 0.9, flat(colour.contrasting()))
		}
		c.write(l, text, x, y, colour)
		y += l.size * between(r, 1.1, 2.2)
	}
	small := set(regular, between(r, 12, 18)*u)
	c.write(small, words(r, 6), between(r, 0.05, 0.4)*w, h-between(r, 12, 40)*u, pick(r, []rgb{white, black}))
}
