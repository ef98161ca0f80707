package synth

import (
	"math"
	"math/rand/v2"
)

// rgb is a colour with channels from 0 to 1. Other values are clipped when
// the picture is made.
type rgb struct{ r, g, b float64 }

var (
	white = rgb{1, 1, 1}
	black = rgb{}
)

func grey(v float64) rgb { return rgb{v, v, v} }

// hsl takes a hue in turns (0 red, 1/3 green, 2/3 blue; any number), and
// saturation and lightness from 0 to 1.
func hsl(h, s, l float64) rgb {
	a := s * math.Min(l, 1-l)
	channel := func(n float64) float64 {
		k := math.Mod(n+12*(h-math.Floor(h)), 12)
		return l - a*math.Max(-1, math.Min(math.Min(k-3, 9-k), 1))
	}
	return rgb{channel(0), channel(8), channel(4)}
}

// mix goes from a (t = 0) to b (t = 1).
func mix(a, b rgb, t float64) rgb {
	t = clamp(t)
	return rgb{a.r + (b.r-a.r)*t, a.g + (b.g-a.g)*t, a.b + (b.b-a.b)*t}
}

// times makes a colour darker (k < 1) or lighter.
func (c rgb) times(k float64) rgb { return rgb{c.r * k, c.g * k, c.b * k} }

func (c rgb) luma() float64 { return 0.299*c.r + 0.587*c.g + 0.114*c.b }

// contrasting returns a dark or a light colour that can be read on c.
func (c rgb) contrasting() rgb {
	if c.luma() > 0.5 {
		return grey(0.08)
	}
	return grey(0.96)
}

func clamp(v float64) float64 {
	if v < 0 {
		return 0
	}
	if v > 1 {
		return 1
	}
	return v
}

// step goes smoothly from 0 at a to 1 at b.
func step(a, b, v float64) float64 {
	t := clamp((v - a) / (b - a))
	return t * t * (3 - 2*t)
}

func between(r *rand.Rand, lo, hi float64) float64 { return lo + (hi-lo)*r.Float64() }

// among returns a whole number from lo to hi, both included.
func among(r *rand.Rand, lo, hi int) int { return lo + r.IntN(hi-lo+1) }

func chance(r *rand.Rand, p float64) bool { return r.Float64() < p }

func pick[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }

// palette returns n colours that go together: hues around one or two centres,
// lightness spread from dark to light.
func palette(r *rand.Rand, n int) []rgb {
	hue, spread := r.Float64(), between(r, 0.03, 0.2)
	second := hue + pick(r, []float64{0.33, 0.42, 0.5, 0.58})
	colours := make([]rgb, n)
	for i := range colours {
		h := hue
		if chance(r, 0.35) {
			h = second
		}
		light := 0.15 + 0.7*(float64(i)+r.Float64())/float64(n)
		colours[i] = hsl(h+spread*r.NormFloat64(), between(r, 0.25, 0.85), light)
	}
	r.Shuffle(n, func(i, j int) { colours[i], colours[j] = colours[j], colours[i] })
	return colours
}
