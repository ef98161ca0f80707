package synth

import (
	"math"
	"math/rand/v2"
)

const lattice = 256

// noise is a smooth random field over the plane: random values at whole
// coordinates, smoothly interpolated, repeating after 256.
type noise struct{ values [lattice * lattice]float32 }

func newNoise(r *rand.Rand) *noise {
	n := &noise{}
	for i := range n.values {
		n.values[i] = r.Float32()
	}
	return n
}

// at returns a value from 0 to 1.
func (n *noise) at(x, y float64) float64 {
	fx, fy := math.Floor(x), math.Floor(y)
	tx, ty := x-fx, y-fy
	tx, ty = tx*tx*(3-2*tx), ty*ty*(3-2*ty)
	x0, y0 := int(fx)&(lattice-1), int(fy)&(lattice-1)
	x1, y1 := (x0+1)&(lattice-1), (y0+1)&(lattice-1)
	a, b := float64(n.values[y0*lattice+x0]), float64(n.values[y0*lattice+x1])
	c, d := float64(n.values[y1*lattice+x0]), float64(n.values[y1*lattice+x1])
	top, bottom := a+(b-a)*tx, c+(d-c)*tx
	return top + (bottom-top)*ty
}

// fractal sums octaves of the field, each of twice the frequency and half the
// height of the one before; the result is from 0 to 1, mostly about 0.5.
func (n *noise) fractal(x, y float64, octaves int) float64 {
	sum, height, total := 0.0, 1.0, 0.0
	for range octaves {
		sum += height * n.at(x, y)
		total += height
		height /= 2
		x, y = 2*x+17.3, 2*y+5.9
	}
	return sum / total
}

// cells returns, for jittered points of a grid of unit cells, the distance to
// the nearest and the second nearest point and a value of the nearest cell.
func (n *noise) cells(x, y float64) (first, second, value float64) {
	first, second = 9, 9
	cx, cy := math.Floor(x), math.Floor(y)
	for dy := -1.0; dy <= 1; dy++ {
		for dx := -1.0; dx <= 1; dx++ {
			ix, iy := int(cx+dx)&(lattice-1), int(cy+dy)&(lattice-1)
			jx := float64(n.values[iy*lattice+ix])
			jy := float64(n.values[ix*lattice+iy])
			d := math.Hypot(cx+dx+jx-x, cy+dy+jy-y)
			if d < first {
				first, second, value = d, first, float64(n.values[((iy+71)&(lattice-1))*lattice+ix])
			} else if d < second {
				second = d
			}
		}
	}
	return first, second, value
}
