package synth

import (
	"image"
	"math"
	"math/rand/v2"

	"golang.org/x/image/draw"
	"golang.org/x/image/math/f64"
)

// page is a printed sheet, lying on a surface or filling the picture.
func page(c *canvas, r *rand.Rand) {
	w, h, u := c.size()
	n := newNoise(r)
	sheet := newCanvas(int(w*between(r, 0.55, 0.95)), int(h*between(r, 0.8, 1.2)))
	sheet.print(r, n)
	pick(r, []func(*canvas, *rand.Rand, *noise, rgb, rgb){wood, cloth, marble, pebbles})(c, r, n,
		hsl(r.Float64(), 0.4, 0.25), hsl(r.Float64(), 0.4, 0.6))
	c.lay(sheet, between(r, 0.42, 0.58)*w, between(r, 0.42, 0.58)*h, between(r, -0.35, 0.35))
	if chance(r, 0.5) {
		c.glow(r.Float64()*w, r.Float64()*h, between(r, 150, 400)*u, between(r, 150, 400)*u, 0.5, black)
	}
	c.photograph(r)
}

// lay puts another canvas, turned by an angle, with its middle at x, y.
func (c *canvas) lay(sheet *canvas, x, y, angle float64) {
	sw, sh, _ := sheet.size()
	outline := box(x-sw/2, y-sh/2, sw, sh).turn(x, y, angle)
	_, _, u := c.size()
	c.fill(outline.shift(7*u, 9*u), 0.45, flat(black))
	source, turned := sheet.image(), image.NewRGBA(image.Rect(0, 0, c.w, c.h))
	sin, cos := math.Sincos(angle)
	draw.BiLinear.Transform(turned, f64.Aff3{cos, -sin, x - cos*sw/2 + sin*sh/2, sin, cos, y - sin*sw/2 - cos*sh/2}, source, source.Rect, draw.Src, nil)
	c.fill(outline, 1, func(px, py float64) rgb {
		at := turned.PixOffset(int(px), int(py))
		p := turned.Pix[at : at+4]
		return rgb{float64(p[0]) / 255, float64(p[1]) / 255, float64(p[2]) / 255}
	})
}

// print sets a page: title, columns of text, and figures between them.
func (c *canvas) print(r *rand.Rand, n *noise) {
	w, h, _ := c.size()
	paper := hsl(between(r, 0.08, 0.16), between(r, 0, 0.35), between(r, 0.82, 0.98))
	ink := hsl(r.Float64(), between(r, 0, 0.3), between(r, 0.03, 0.2))
	c.paint(func(x, y float64) rgb { return paper.times(0.95 + 0.08*n.fractal(x*0.02, y*0.02, 3)) })
	u := w / 420
	margin := between(r, 18, 40) * u
	y := margin + 30*u
	if chance(r, 0.8) {
		title := set(pick(r, []typeface{bold, medium, smallCaps, italic}), between(r, 20, 44)*u)
		for _, line := range title.wrap(words(r, among(r, 2, 6)), w-2*margin) {
			c.write(title, line, margin, y, ink)
			y += title.size * 1.15
		}
		c.fill(box(margin, y-title.size*0.6, w-2*margin, 2*u), 0.8, flat(ink))
	}
	columns := among(r, 1, 3)
	gap := 14 * u
	wide := (w - 2*margin - gap*float64(columns-1)) / float64(columns)
	body := set(pick(r, []typeface{regular, mono, italic, medium}), between(r, 7, 15)*u)
	for column := range columns {
		x, at := margin+float64(column)*(wide+gap), y
		for at < h-margin {
			if chance(r, 0.35) {
				tall := wide * between(r, 0.4, 0.9)
				if at+tall < h-margin {
					c.figure(r, n, x, at-body.size, wide, tall)
					at += tall + body.size
				}
			}
			for _, line := range body.wrap(words(r, among(r, 10, 45)), wide) {
				if at > h-margin {
					break
				}
				c.write(body, line, x, at, ink)
				at += body.size * 1.35
			}
			at += body.size * between(r, 0.4, 1.5)
		}
	}
}

// figure is a small picture or diagram in a page or on a screen.
func (c *canvas) figure(r *rand.Rand, n *noise, x, y, wide, tall float64) {
	inner := newCanvas(max(16, int(wide)), max(16, int(tall)))
	switch r.IntN(4) {
	case 0:
		inner.plot(r, white, false)
	case 1:
		inner.backdrop(r, n)
		iw, ih, _ := inner.size()
		inner.tree(r, iw*between(r, 0.2, 0.8), ih*0.9, ih*0.8, hsl(0.3, 0.5, 0.4))
	case 2:
		light := newDaylight(r)
		_, ih, _ := inner.size()
		inner.sky(r, n, light, ih*0.6)
		inner.ridge(r, n, ih*0.7, ih*0.2, 3, hsl(r.Float64(), 0.4, 0.3), light.haze)
	default:
		inner.backdrop(r, n)
		iw, ih, _ := inner.size()
		hue := r.Float64()
		inner.ball(n, iw/2, ih/2, math.Min(iw, ih)*0.4, hsl(hue, 0.7, 0.4), hsl(hue+0.1, 0.7, 0.6), 4)
	}
	c.paste(inner, int(x), int(y))
}

// paste copies another canvas with its upper left corner at x, y.
func (c *canvas) paste(from *canvas, x, y int) {
	area := image.Rect(x, y, x+from.w, y+from.h).Intersect(image.Rect(0, 0, c.w, c.h))
	for py := area.Min.Y; py < area.Max.Y; py++ {
		copy(c.pix[py*c.w+area.Min.X:py*c.w+area.Max.X], from.pix[(py-y)*from.w+area.Min.X-x:])
	}
}
