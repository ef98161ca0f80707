package transforms

import (
	"image"
	"image/color"
	"image/draw"
)

// blank is a picture of one colour.
func blank(width, height int, c color.Color) *image.RGBA {
	p := image.NewRGBA(image.Rect(0, 0, max(1, width), max(1, height)))
	draw.Draw(p, p.Rect, image.NewUniform(c), image.Point{}, draw.Src)
	return p
}

// compact returns p without gaps between its rows and with its corner at 0, 0.
func compact(p *image.RGBA) *image.RGBA {
	if p.Rect.Min == (image.Point{}) && p.Stride == 4*p.Rect.Dx() {
		return p
	}
	return clone(p)
}

func clone(p *image.RGBA) *image.RGBA {
	c := image.NewRGBA(image.Rect(0, 0, p.Rect.Dx(), p.Rect.Dy()))
	draw.Draw(c, c.Rect, p, p.Rect.Min, draw.Src)
	return c
}

// paste puts a picture with its upper left corner at x, y into p, which is changed.
func paste(p, what *image.RGBA, x, y int) {
	draw.Draw(p, image.Rectangle{Max: what.Rect.Size()}.Add(image.Pt(x, y)), what, what.Rect.Min, draw.Src)
}

// cover fills a rectangle of p, which is changed, with a colour, alpha included.
func cover(p *image.RGBA, r image.Rectangle, c color.Color) {
	draw.Draw(p, r, image.NewUniform(c), image.Point{}, draw.Over)
}

// size returns width and height.
func size(p *image.RGBA) (w, h int) { return p.Rect.Dx(), p.Rect.Dy() }

// scaled is a share of a number of pixels, at least one.
func scaled(pixels int, share float64) int { return max(1, int(float64(pixels)*share+0.5)) }

// eachPixel applies a function of a pixel's channels to a copy of p.
func eachPixel(p *image.RGBA, f func(r, g, b float64) (float64, float64, float64)) *image.RGBA {
	q := clone(p)
	for i := 0; i < len(q.Pix); i += 4 {
		r, g, b := f(float64(q.Pix[i]), float64(q.Pix[i+1]), float64(q.Pix[i+2]))
		q.Pix[i], q.Pix[i+1], q.Pix[i+2] = level(r), level(g), level(b)
	}
	return q
}

// level rounds to 8 bits.
func level(v float64) byte {
	switch {
	case v <= 0:
		return 0
	case v >= 255:
		return 255
	}
	return byte(v + 0.5)
}

func luma(r, g, b float64) float64 { return 0.299*r + 0.587*g + 0.114*b }
