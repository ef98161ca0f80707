package synth

import (
	"image"
	"math"
	"math/rand/v2"

	"golang.org/x/image/draw"
	"golang.org/x/image/vector"
)

// canvas holds a picture in floating point while it is drawn.
type canvas struct {
	w, h int
	pix  []rgb // row-major
	mask vector.Rasterizer
}

// shader gives the colour of the pixel whose centre is at x, y.
type shader func(x, y float64) rgb

func flat(c rgb) shader { return func(_, _ float64) rgb { return c } }

func newCanvas(w, h int) *canvas { return &canvas{w: w, h: h, pix: make([]rgb, w*h)} }

// size returns width and height as numbers to draw with, and the unit: one
// pixel in a picture whose shorter side is 480.
func (c *canvas) size() (w, h, unit float64) {
	return float64(c.w), float64(c.h), float64(min(c.w, c.h)) / 480
}

// paint covers everything.
func (c *canvas) paint(s shader) {
	for y := range c.h {
		row := c.pix[y*c.w : (y+1)*c.w]
		for x := range row {
			row[x] = s(float64(x)+0.5, float64(y)+0.5)
		}
	}
}

// alter replaces every colour by a function of it and its place.
func (c *canvas) alter(f func(x, y float64, old rgb) rgb) {
	for y := range c.h {
		row := c.pix[y*c.w : (y+1)*c.w]
		for x := range row {
			row[x] = f(float64(x)+0.5, float64(y)+0.5, row[x])
		}
	}
}

// fill covers the inside of a path, with soft edges.
func (c *canvas) fill(p path, opacity float64, s shader) {
	lo, hi := p.bounds()
	area := image.Rect(int(math.Floor(lo.x)), int(math.Floor(lo.y)), int(math.Ceil(hi.x)), int(math.Ceil(hi.y))).
		Intersect(image.Rect(0, 0, c.w, c.h))
	if area.Empty() || len(p) < 3 {
		return
	}
	c.mask.Reset(area.Dx(), area.Dy())
	c.mask.DrawOp = draw.Src
	for i, at := range p {
		x, y := float32(at.x-float64(area.Min.X)), float32(at.y-float64(area.Min.Y))
		if i == 0 {
			c.mask.MoveTo(x, y)
		} else {
			c.mask.LineTo(x, y)
		}
	}
	c.mask.ClosePath()
	covered := image.NewAlpha(image.Rect(0, 0, area.Dx(), area.Dy()))
	c.mask.Draw(covered, covered.Rect, image.Opaque, image.Point{})
	c.blend(covered, area.Min, opacity, s)
}

// blend puts a shader's colours where a mask, whose upper left corner lies at
// a point of the canvas, says so.
func (c *canvas) blend(mask *image.Alpha, at image.Point, opacity float64, s shader) {
	area := mask.Rect.Add(at).Intersect(image.Rect(0, 0, c.w, c.h))
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			a := mask.Pix[mask.PixOffset(x-at.X, y-at.Y)]
			if a == 0 {
				continue
			}
			p := &c.pix[y*c.w+x]
			*p = mix(*p, s(float64(x)+0.5, float64(y)+0.5), opacity*float64(a)/255)
		}
	}
}

// glow adds light (or shade, for a dark colour) that fades from a point to
// nothing at the radii.
func (c *canvas) glow(x, y, rx, ry, strength float64, colour rgb) {
	x0, x1 := max(0, int(x-rx)), min(c.w, int(x+rx)+1)
	for py := max(0, int(y-ry)); py < min(c.h, int(y+ry)+1); py++ {
		for px := x0; px < x1; px++ {
			dx, dy := (float64(px)+0.5-x)/rx, (float64(py)+0.5-y)/ry
			if d := dx*dx + dy*dy; d < 1 {
				p := &c.pix[py*c.w+px]
				*p = mix(*p, colour, strength*(1-d)*(1-d))
			}
		}
	}
}

// photograph gives the canvas what a lens and a sensor give: light from one
// side, a darker rim, a tint and grain.
func (c *canvas) photograph(r *rand.Rand) {
	w, h, _ := c.size()
	angle := between(r, 0, 2*math.Pi)
	slope, rim, grain := between(r, 0.05, 0.25), between(r, 0.05, 0.35), between(r, 0.008, 0.03)
	tint := rgb{between(r, 0.93, 1.07), between(r, 0.96, 1.04), between(r, 0.9, 1.08)}
	c.alter(func(x, y float64, old rgb) rgb {
		dx, dy := (x-w/2)/w, (y-h/2)/h
		k := 1 + slope*(dx*math.Cos(angle)+dy*math.Sin(angle)) - rim*2*(dx*dx+dy*dy)
		g := grain * (r.Float64() + r.Float64() - 1)
		return rgb{old.r*k*tint.r + g, old.g*k*tint.g + g, old.b*k*tint.b + g}
	})
}

// image rounds the colours to 8 bits.
func (c *canvas) image() *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, c.w, c.h))
	for i, p := range c.pix {
		img.Pix[4*i] = uint8(255*clamp(p.r) + 0.5)
		img.Pix[4*i+1] = uint8(255*clamp(p.g) + 0.5)
		img.Pix[4*i+2] = uint8(255*clamp(p.b) + 0.5)
		img.Pix[4*i+3] = 255
	}
	return img
}
