package synth

import (
	"math/rand/v2"
	"strings"
)

// theme is the colours of a program.
type theme struct{ back, card, text, muted, accent rgb }

func newTheme(r *rand.Rand) theme {
	hue, tint := r.Float64(), between(r, 0, 0.4)
	accent := hsl(r.Float64(), between(r, 0.4, 0.9), between(r, 0.35, 0.6))
	if chance(r, 0.4) {
		return theme{hsl(hue, tint, 0.11), hsl(hue, tint, 0.18), grey(0.92), grey(0.6), accent}
	}
	return theme{hsl(hue, tint, 0.93), hsl(hue, tint/2, 0.99), grey(0.12), grey(0.5), accent}
}

// screen is what a program shows: a window of one of several layouts.
func screen(c *canvas, r *rand.Rand) {
	n, t := newNoise(r), newTheme(r)
	c.paint(flat(t.back))
	switch r.IntN(5) {
	case 0:
		c.mailbox(r, t)
	case 1:
		c.gallery(r, n, t)
	case 2:
		c.editor(r, t)
	case 3:
		c.dashboard(r, t)
	default:
		c.desktop(r, n, t)
	}
}

// bar draws a strip with a name and buttons and returns its height.
func (c *canvas) bar(r *rand.Rand, t theme) float64 {
	w, _, u := c.size()
	tall := between(r, 28, 56) * u
	fillings := []rgb{t.accent, t.card, t.accent.times(0.5), grey(0.2)}
	colour := pick(r, fillings)
	c.fill(box(0, 0, w, tall), 1, flat(colour))
	c.write(set(bold, tall*0.42), words(r, 2), between(r, 12, 60)*u, tall*0.65, colour.contrasting())
	for i := range among(r, 1, 5) {
		c.fill(rounded(w-(50+float64(i)*between(r, 44, 60))*u, tall*0.25, 36*u, tall*0.5, 6*u), 0.6, flat(pick(r, []rgb{t.accent, t.muted, white})))
	}
	return tall
}

// side draws a list of entries in a column from x.
func (c *canvas) side(r *rand.Rand, t theme, x, top, wide float64) {
	_, h, u := c.size()
	colour := pick(r, []rgb{t.card, t.back.times(0.85), t.accent.times(0.35)})
	c.fill(box(x, top, wide, h-top), 1, flat(colour))
	l := set(regular, between(r, 12, 17)*u)
	pitch := l.size * between(r, 1.8, 2.8)
	chosen := r.IntN(6)
	for i := 0; top+float64(i+1)*pitch < h; i++ {
		y := top + float64(i+1)*pitch
		if i == chosen {
			c.fill(box(x, y-pitch*0.7, wide, pitch), 1, flat(t.accent))
		}
		c.fill(ellipse(x+16*u, y-l.size*0.35, 6*u, 6*u, 0), 1, flat(hsl(r.Float64(), 0.5, 0.5)))
		c.write(l, words(r, among(r, 1, 2)), x+30*u, y, colour.contrasting())
	}
}

func (c *canvas) mailbox(r *rand.Rand, t theme) {
	w, h, u := c.size()
	top := c.bar(r, t)
	wide := between(r, 0.18, 0.3) * w
	left := wide
	if chance(r, 0.5) {
		c.side(r, t, 0, top, wide)
	} else {
		c.side(r, t, w-wide, top, wide)
		left = 0
	}
	name, body := set(bold, 14*u), set(regular, 13*u)
	tall := between(r, 46, 80) * u
	for y := top + 6*u; y < h; y += tall {
		if chance(r, 0.7) {
			c.fill(rounded(left+6*u, y, w-wide-12*u, tall-6*u, 4*u), 1, flat(t.card))
		}
		c.fill(ellipse(left+34*u, y+tall*0.45, tall*0.3, tall*0.3, 0), 1, flat(hsl(r.Float64(), 0.6, 0.5)))
		c.write(name, words(r, 2), left+70*u, y+20*u, t.text)
		room := (w - wide - 100*u) * between(r, 0.4, 1)
		c.write(body, body.wrap(words(r, 14), room)[0], left+70*u, y+39*u, t.muted)
	}
}

func (c *canvas) gallery(r *rand.Rand, n *noise, t theme) {
	w, h, u := c.size()
	top := c.bar(r, t)
	columns, gap := among(r, 2, 4), between(r, 8, 24)*u
	wide := (w - gap*float64(columns+1)) / float64(columns)
	tall := wide * between(r, 0.6, 1.1)
	l := set(medium, between(r, 11, 16)*u)
	for y := top + gap; y < h; y += tall + gap + 2.6*l.size {
		for column := range columns {
			x := gap + float64(column)*(wide+gap)
			c.fill(rounded(x-3*u, y-3*u, wide+6*u, tall+2.4*l.size, 5*u), 1, flat(t.card))
			c.figure(r, n, x, y, wide, tall)
			c.write(l, l.wrap(words(r, 4), wide)[0], x+4*u, y+tall+1.4*l.size, t.text)
		}
	}
}

func (c *canvas) editor(r *rand.Rand, t theme) {
	w, h, u := c.size()
	top := 0.0
	if chance(r, 0.7) {
		top = c.bar(r, t)
	}
	left := 0.0
	if chance(r, 0.7) {
		left = between(r, 0.15, 0.3) * w
		c.side(r, t, 0, top, left)
	}
	l := set(mono, between(r, 11, 19)*u)
	inks := []rgb{t.text, t.accent, hsl(r.Float64(), 0.6, 0.5), hsl(r.Float64(), 0.6, 0.5), t.muted}
	indent := 0
	for y, i := top+l.size*1.6, 1; y < h; y, i = y+l.size*1.4, i+1 {
		c.write(l, strings.Repeat(" ", i%2)+string(rune('0'+i%10)), left+6*u, y, t.muted)
		x := left + 44*u + float64(indent)*l.size*1.2
		for range among(r, 0, 6) {
			word := pick(r, vocabulary) + pick(r, []string{"", ".", "(", ")", " =", ":", ","})
			c.write(l, word, x, y, pick(r, inks))
			x += l.width(word + " ")
		}
		indent = max(0, min(6, indent+among(r, -1, 1)))
	}
	if chance(r, 0.5) {
		tall := between(r, 0.15, 0.4) * h
		c.fill(box(left, h-tall, w-left, tall), 1, flat(t.back.times(0.5)))
		for y := h - tall + l.size*1.5; y < h; y += l.size * 1.4 {
			c.write(l, "$ "+words(r, among(r, 2, 7)), left+10*u, y, hsl(0.33, 0.5, 0.6))
		}
	}
}

func (c *canvas) dashboard(r *rand.Rand, t theme) {
	w, h, u := c.size()
	top := c.bar(r, t)
	columns, rows, gap := among(r, 2, 3), among(r, 2, 3), between(r, 8, 18)*u
	wide := (w - gap*float64(columns+1)) / float64(columns)
	tall := (h - top - gap*float64(rows+1)) / float64(rows)
	for row := range rows {
		for column := range columns {
			x, y := gap+float64(column)*(wide+gap), top+gap+float64(row)*(tall+gap)
			c.fill(rounded(x, y, wide, tall, 6*u), 1, flat(t.card))
			if chance(r, 0.3) {
				word, l := words(r, 1), set(bold, tall*0.35)
				l = set(bold, l.size*min(1, 0.85*wide/l.width(word)))
				c.write(l, word, x+wide*0.08, y+tall*0.6, pick(r, []rgb{t.accent, t.text}))
				continue
			}
			inner := newCanvas(max(16, int(wide-12*u)), max(16, int(tall-12*u)))
			inner.plot(r, t.card, false)
			c.paste(inner, int(x+6*u), int(y+6*u))
		}
	}
}

// desktop has windows that cover one another over a background picture.
func (c *canvas) desktop(r *rand.Rand, n *noise, t theme) {
	w, h, u := c.size()
	c.backdrop(r, n)
	for range among(r, 2, 4) {
		wide, tall := between(r, 0.35, 0.7)*w, between(r, 0.35, 0.7)*h
		x, y := between(r, 0, 0.5)*w, between(r, 0, 0.5)*h
		c.fill(rounded(x+6*u, y+8*u, wide, tall, 8*u), 0.4, flat(black))
		window := newCanvas(int(wide), int(tall))
		window.paint(flat(t.card))
		switch r.IntN(3) {
		case 0:
			window.mailbox(r, t)
		case 1:
			window.figure(r, n, 0, 0, wide, tall)
		default:
			window.editor(r, newTheme(r))
		}
		c.paste(window, int(x), int(y))
		c.fill(box(x, y-22*u, wide, 22*u), 1, flat(t.accent))
	}
}
