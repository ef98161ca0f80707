package transforms

import (
	"image"
	"image/color"
	"math"

	"golang.org/x/image/vector"
)

// shade returns black, white or a colour.
func (e *editor) shade() color.RGBA {
	switch e.IntN(3) {
	case 0:
		return color.RGBA{A: 255}
	case 1:
		return color.RGBA{255, 255, 255, 255}
	}
	return color.RGBA{byte(e.IntN(256)), byte(e.IntN(256)), byte(e.IntN(256)), 255}
}

// border is 12 % of each side wide.
func border(e *editor, p *image.RGBA) *image.RGBA {
	w, h := size(p)
	x, y := scaled(w, 0.12), scaled(h, 0.12)
	q := blank(w+2*x, h+2*y, e.shade())
	paste(q, p, x, y)
	return q
}

// captionBar adds a white or black bar of a fifth of the height, with a line or two of text, above or below.
func captionBar(e *editor, p *image.RGBA) *image.RGBA {
	w, h := size(p)
	bar := scaled(h, 0.2)
	paper, ink := color.RGBA{255, 255, 255, 255}, color.RGBA{A: 255}
	if e.IntN(4) == 0 {
		paper, ink = ink, paper
	}
	q := blank(w, h+bar, paper)
	top := 0
	if e.coin() {
		paste(q, p, 0, bar)
	} else {
		paste(q, p, 0, 0)
		top = h
	}
	text := typeset{height: float64(bar) * 0.36, ink: ink}
	for i, line := range text.wrap(e.words(8), float64(w)*0.94, 2) {
		text.write(q, line, float64(w)*0.03, float64(top)+float64(bar)*(0.44+0.42*float64(i)))
	}
	return q
}

// largeText writes white letters with black rims over the upper and the lower part.
func largeText(e *editor, p *image.RGBA) *image.RGBA {
	return Caption(p, e.words(3), e.words(4))
}

// Caption writes a line of capital letters, a seventh of the height and less where it is too wide, over the upper and the
// lower end of a copy of p, as on memes. An empty line is left out.
func Caption(p *image.RGBA, upper, lower string) *image.RGBA {
	q := clone(p)
	_, h := size(q)
	for i, line := range []string{upper, lower} {
		base := 0.15
		if i == 1 {
			base = 0.96
		}
		outlined(q, line, 0.14*float64(h), base*float64(h))
	}
	return q
}

// watermark writes a name in half-transparent white into a corner.
func watermark(e *editor, p *image.RGBA) *image.RGBA {
	q := clone(p)
	w, h := size(q)
	line := "© " + e.words(2)
	text := typeset{height: float64(h) / 14, ink: color.RGBA{170, 170, 170, 170}}
	text.fit(line, 0.45*float64(w))
	x, y := 0.02*float64(w), 0.07*float64(h)
	if e.coin() {
		x = 0.98*float64(w) - text.width(line)
	}
	if e.coin() {
		y = 0.97 * float64(h)
	}
	shadow := text
	shadow.ink = color.RGBA{A: 120}
	shadow.write(q, line, x+1, y+1)
	text.write(q, line, x, y)
	return q
}

// sticker is a round yellow face over 15 % of the area.
func sticker(e *editor, p *image.RGBA) *image.RGBA {
	q := clone(p)
	w, h := size(q)
	radius := math.Sqrt(0.15 * float64(w*h) / math.Pi)
	radius = math.Min(radius, 0.5*float64(min(w, h)))
	x, y := e.between(radius, float64(w)-radius), e.between(radius, float64(h)-radius)
	ink := color.RGBA{40, 25, 0, 255}
	disc(q, x, y, radius, radius, ink)
	disc(q, x, y, radius*0.96, radius*0.96, color.RGBA{255, 205, 40, 255})
	for _, side := range []float64{-1, 1} {
		disc(q, x+side*radius*0.35, y-radius*0.25, radius*0.12, radius*0.18, ink)
	}
	disc(q, x, y+radius*0.3, radius*0.55, radius*0.4, ink)
	disc(q, x, y+radius*0.18, radius*0.6, radius*0.36, color.RGBA{255, 205, 40, 255})
	return q
}

// disc fills an ellipse.
func disc(p *image.RGBA, x, y, rx, ry float64, c color.Color) {
	r := vector.NewRasterizer(size(p))
	for i := range 72 {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / 72)
		px, py := float32(x+rx*cos), float32(y+ry*sin)
		if i == 0 {
			r.MoveTo(px, py)
		} else {
			r.LineTo(px, py)
		}
	}
	r.ClosePath()
	r.Draw(p, p.Rect, image.NewUniform(c), image.Point{})
}

// checkerboard covers 35 % of the area with squares of one colour in every other field of eight by eight.
func checkerboard(e *editor, p *image.RGBA) *image.RGBA { return checkered(e, p, 8, 0.35) }

// checkered covers a share of the area, at most half, with squares in every other of fields x fields.
func checkered(e *editor, p *image.RGBA, fields int, share float64) *image.RGBA {
	q := clone(p)
	w, h := size(q)
	c, side, odd := e.shade(), math.Sqrt(2*share), e.IntN(2) // every other field is half of the area
	fw, fh := float64(w)/float64(fields), float64(h)/float64(fields)
	for row := range fields {
		for column := range fields {
			if (row+column)%2 != odd {
				continue
			}
			x, y := (float64(column)+(1-side)/2)*fw, (float64(row)+(1-side)/2)*fh
			cover(q, image.Rect(int(x+0.5), int(y+0.5), int(x+side*fw+0.5), int(y+side*fh+0.5)), c)
		}
	}
	return q
}
