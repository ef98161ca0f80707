package synth

import (
	"math"
	"math/rand/v2"
)

// leaves is a heap of shaded shapes that cover one another, their sizes
// spread by a power law: the "dead leaves" model, whose statistics are close
// to those of photographs.
func leaves(c *canvas, r *rand.Rand) {
	w, h, u := c.size()
	n, colours := newNoise(r), palette(r, among(r, 3, 9))
	c.paint(flat(colours[0].times(0.5)))
	shape, largest, smallest := r.IntN(6), between(r, 60, 200)*u, between(r, 6, 40)*u
	centre, pull := point{r.Float64() * w, r.Float64() * h}, between(r, 0, 0.8)
	// Small shapes need a larger number to cover the ground.
	count := int(math.Min(900, 4*w*h/(smallest*smallest*4)))
	drift := between(r, 0, 1)
	for i := range count {
		// Large shapes first, so that small ones stay visible.
		size := math.Max(largest*math.Pow(float64(i+1)/8, -0.6)*between(r, 0.6, 1.4), smallest)
		size = math.Min(size, largest)
		x, y := r.Float64()*w, r.Float64()*h
		if chance(r, pull) && i > 20 {
			x, y = centre.x+r.NormFloat64()*w/5, centre.y+r.NormFloat64()*h/5
		}
		colour := pick(r, colours)
		if chance(r, drift) { // colours gather in parts of the picture
			colour = colours[int(n.at(x*3/w, y*3/h)*1.5*float64(len(colours)))%len(colours)]
		}
		c.leaf(r, n, x, y, size, shape, colour)
	}
	for range among(r, 0, 3) {
		size := between(r, 80, 300) * u
		c.glow(r.Float64()*w, r.Float64()*h, size, size, between(r, 0.3, 0.8), pick(r, []rgb{black, white}))
	}
	c.photograph(r)
}

func (c *canvas) leaf(r *rand.Rand, n *noise, x, y, size float64, shape int, colour rgb) {
	angle := r.Float64() * 2 * math.Pi
	if shape == 5 { // a bit of everything
		shape = r.IntN(5)
	}
	var p path
	switch shape {
	case 0:
		p = ellipse(x, y, size, size*between(r, 0.5, 1), angle)
	case 1:
		p = blob(r, x, y, size, 0.4)
	case 2:
		p = path{{x - size, y}, {x - size*0.3, y - size*0.42}, {x + size, y}, {x - size*0.3, y + size*0.42}}.smooth().turn(x, y, angle)
	case 3:
		p = rounded(x-size, y-size*0.6, 2*size, 1.2*size, size*0.1).turn(x, y, angle)
	default:
		sides := among(r, 3, 6)
		for k := range sides {
			s, o := math.Sincos(angle + 2*math.Pi*float64(k)/float64(sides))
			p = append(p, point{x + size*o, y + size*s})
		}
	}
	c.fill(p.shift(size*0.08, size*0.1), 0.5, flat(black))
	shade, grain := between(r, 0.7, 1.1), between(r, 1, 6)/size
	sin, cos := math.Sincos(angle)
	vein := shape == 2
	c.fill(p, 1, func(px, py float64) rgb {
		dx, dy := (px-x)/size, (py-y)/size
		along, across := dx*cos+dy*sin, dy*cos-dx*sin
		k := shade * (0.85 - 0.2*(dx+dy)) * (0.7 + 0.6*n.fractal(x+px*grain, y+py*grain, 2))
		if vein && (math.Abs(across) < 0.02 || math.Abs(math.Mod(along+math.Abs(across)+2, 0.25)) < 0.03) {
			k *= 1.25
		}
		return colour.times(k)
	})
}
