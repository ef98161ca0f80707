package keypoint

import (
	"cmp"
	"math"
	"slices"
)

// Bits describe the surroundings of a point: for each of 4 x 4 cells and 8 directions, whether it holds more of the
// gradient than the median of the 128.
type Bits [2]uint64

const (
	directionBins = 36
	grid          = 4 // cells along each axis
	bins          = 8 // directions in each cell
	samples       = 16
	cellWidth     = 3 // in units of the point's scale
)

// directions returns the angles, in radians, from which the point is described: those of the strongest gradients around it.
func directions(m image, e extremum) []float32 {
	var hist [directionBins]float32
	sigma := 1.5 * e.scale
	radius := int(3*sigma + 0.5)
	cx, cy := int(e.x+0.5), int(e.y+0.5)
	left, right := max(1, cx-radius), min(m.width-2, cx+radius)
	across := make([]float32, max(0, right-left+1)) // the weights of the columns
	for i := range across {
		d := float32(left+i) - e.x
		across[i] = gaussian(d * d / (2 * sigma * sigma))
	}
	for y := max(1, cy-radius); y <= min(m.height-2, cy+radius); y++ {
		d := float32(y) - e.y
		down := gaussian(d * d / (2 * sigma * sigma))
		for x := left; x <= right; x++ {
			gx, gy := m.at(x+1, y)-m.at(x-1, y), m.at(x, y+1)-m.at(x, y-1)
			size := float32(math.Sqrt(float64(gx*gx + gy*gy)))
			if size == 0 {
				continue
			}
			hist[int(turns(gy, gx)*directionBins)%directionBins] += size * down * across[x-left]
		}
	}
	var smooth [directionBins]float32
	var most float32
	for i := range hist {
		before, after := hist[(i+directionBins-1)%directionBins], hist[(i+1)%directionBins]
		before2, after2 := hist[(i+directionBins-2)%directionBins], hist[(i+2)%directionBins]
		smooth[i] = (6*hist[i] + 4*(before+after) + before2 + after2) / 16
		most = max(most, smooth[i])
	}
	type peak struct{ angle, height float32 }
	var peaks []peak
	for i, v := range smooth {
		before, after := smooth[(i+directionBins-1)%directionBins], smooth[(i+1)%directionBins]
		if v < 0.8*most || v <= before || v < after || v == 0 {
			continue
		}
		at := float32(i) + 0.5 + 0.5*(before-after)/(before-2*v+after)
		peaks = append(peaks, peak{at / directionBins * 2 * math.Pi, v})
	}
	slices.SortStableFunc(peaks, func(a, b peak) int { return cmp.Compare(b.height, a.height) })
	var angles []float32
	for _, p := range peaks[:min(2, len(peaks))] {
		angles = append(angles, p.angle)
	}
	return angles
}

// describe samples the gradient on a grid that is turned by the angle, and spreads each sample over the cells and directions
// next to it.
func describe(m image, e extremum, angle float32) Bits {
	sin64, cos64 := math.Sincos(float64(angle))
	sin, cos := float32(sin64), float32(cos64)
	var hist [grid + 2][grid + 2][bins]float32 // one more cell on each side, which is dropped
	unit := e.scale * cellWidth * (grid + 1) / samples
	for j := range samples {
		v := float32(j) - (samples-1)/2.0
		for i := range samples {
			u := float32(i) - (samples-1)/2.0
			x, y := int(e.x+(u*cos-v*sin)*unit+0.5), int(e.y+(u*sin+v*cos)*unit+0.5)
			if x < 1 || y < 1 || x >= m.width-1 || y >= m.height-1 {
				continue
			}
			gx, gy := m.at(x+1, y)-m.at(x-1, y), m.at(x, y+1)-m.at(x, y-1)
			size := float32(math.Sqrt(float64(gx*gx+gy*gy))) * window[j][i]
			if size == 0 {
				continue
			}
			bin := turns(gy*cos-gx*sin, gx*cos+gy*sin) * bins
			column, row := u*(grid+1)/samples+grid/2.0+0.5, v*(grid+1)/samples+grid/2.0+0.5
			c0, r0, b0 := int(column), int(row), int(bin)
			fc, fr, fb := column-float32(c0), row-float32(r0), bin-float32(b0)
			b0 %= bins
			b1 := (b0 + 1) % bins
			for _, r := range [2]struct {
				at     int
				weight float32
			}{{r0, (1 - fr) * size}, {r0 + 1, fr * size}} {
				left, right := &hist[r.at][c0], &hist[r.at][c0+1]
				left[b0] += r.weight * (1 - fc) * (1 - fb)
				left[b1] += r.weight * (1 - fc) * fb
				right[b0] += r.weight * fc * (1 - fb)
				right[b1] += r.weight * fc * fb
			}
		}
	}
	var all [grid * grid * bins]float32
	for r := range grid {
		for c := range grid {
			copy(all[(r*grid+c)*bins:], hist[r+1][c+1][:])
		}
	}
	sorted := all
	slices.Sort(sorted[:])
	median := sorted[len(sorted)/2-1]
	var bits Bits
	for i, v := range all {
		if v > median {
			bits[i/64] |= 1 << (i % 64)
		}
	}
	return bits
}

// window weighs the samples of a description: a Gaussian of half its width.
var window = func() (w [samples][samples]float32) {
	for j := range w {
		for i := range w[j] {
			u, v := float32(i)-(samples-1)/2.0, float32(j)-(samples-1)/2.0
			w[j][i] = gaussian((u*u + v*v) / (2 * 6.4 * 6.4))
		}
	}
	return w
}()

func gaussian(x float32) float32 { return float32(math.Exp(-float64(x))) }

// turns is the angle of a vector in full turns, from 0 to 1, to a ten-thousandth of a radian (the polynomial of Abramowitz
// and Stegun, "Handbook of Mathematical Functions", 4.4.49, shortened).
func turns(y, x float32) float32 {
	ax, ay := max(x, -x), max(y, -y)
	a := min(ax, ay) / max(ax, ay, math.SmallestNonzeroFloat32)
	s := a * a
	t := (((-0.0464964749*s+0.15931422)*s-0.327622764)*s*a + a) / (2 * math.Pi)
	if ay > ax {
		t = 0.25 - t
	}
	if x < 0 {
		t = 0.5 - t
	}
	if y < 0 {
		t = 1 - t
	}
	return min(t, 1-1e-6)
}

// mirrored is the description of the same point in the mirrored picture: rows change places, and directions their sense.
func (b Bits) mirrored() Bits { return b.permuted(&mirrorOrder) }

// inverted is the description of the same point in the negative, whose direction is the opposite: all turned by half.
func (b Bits) inverted() Bits { return b.permuted(&negativeOrder) }

func (b Bits) permuted(order *[128]uint8) Bits {
	var p Bits
	for to, from := range order {
		p[to/64] |= (b[from/64] >> (from % 64) & 1) << (to % 64)
	}
	return p
}

var mirrorOrder, negativeOrder = func() (mirror, negative [128]uint8) {
	at := func(r, c, k int) int { return (r*grid+c)*bins + k }
	for r := range grid {
		for c := range grid {
			for k := range bins {
				// The bin's number is its lower edge (a sample at bin 0.0 counts for bin 0 alone), so -k is its image.
				mirror[at(r, c, k)] = uint8(at(grid-1-r, c, (bins-k)%bins))
				negative[at(r, c, k)] = uint8(at(grid-1-r, grid-1-c, k))
			}
		}
	}
	return mirror, negative
}()
