package keypoint

import (
	"math"
	"math/bits"
)

// PlaneSize is the size of a Plane of a picture of width x height pixels: its pixels are the unit of Features.
func PlaneSize(width, height int) (int, int) { return sized(width, height, Side) }

// Plane is an upload's picture, ready to be described at any place: a point's surroundings can be compared where no point was found.
type Plane struct {
	width, height int
	space         *space
	octaves       []octave
}

// NewPlane takes a luma plane of PlaneSize, row by row. Close gives its memory back.
func NewPlane(width, height int, luma []byte) *Plane {
	space := takeSpace(width * height)
	return &Plane{width: width, height: height, space: space, octaves: space.scaleSpace(width, height, luma, forPlane)}
}

// Close gives the memory back. The plane must not be used after it.
func (p *Plane) Close() { p.space.give() }

// Guided is what the upload's plane shows where an agreement's map brings the flag's points, whether or not the upload has points
// there. Bits are those of 128 that differ. A copy has few at nearly all places; another picture of one template has many where it
// is filled in differently; what is laid over a copy has many in one place.
type Guided struct {
	Looked        int        // points of the flag that the map brings into the upload, at most mostLooks; 0: the rest says nothing
	Bits          [4]float64 // quartiles of the bits, and the ninth decile
	Mean          float64    // of the bits
	First, Before float64    // median and mean of the bits at the very place, before the best place near it was looked for
	Same, Similar float64    // share of the points with at most sameBits, and with at most similarBits
	Apart         float64    // of the points above similarBits, the share of their neighbours that are so too; 1: there are none
	Uneven        float64    // by how many bits points differ from the median of their neighbours, on average
	Cells         int        // of 4 x 4 of the flag's frame, that have points of which most are similar
	CellShare     float64    // Cells of those that have points
	Differs       Region     // zero: none
	Compared      Compared   // with the flag's Frame
}

const (
	mostLooks   = 120
	glance      = 24 // points, of which one must be similar for the others to be looked at
	nearEnough  = 18 // bits, from which on no better place is looked for
	sameBits    = 14
	similarBits = 26
	neighbours  = 4
	// leastSimilar is the share of points that must be similar at the very place, for better places to be looked for: of strangers hardly any are.
	leastSimilar = 0.15
	leastPlaced  = 6 // points that places say anything of
)

// looked is a point of the flag with the bits that differ, at the place of the map and at the best place near it.
type looked struct {
	x, y        float64 // as shares of the flag's frame
	u, v        float64 // in the upload's plane
	first, bits int
}

// Guide looks at the upload's plane where the agreement's map has the flag's points.
func Guide(flag Features, upload *Plane, a Agreement) Guided {
	m := a.m
	if a.Variant == Mirrored { // its map is to the mirrored upload
		m = m.mirrored(upload.width)
	}
	all, descriptions := make([]looked, 0, mostLooks), make([]description, 0, mostLooks)
	similar := 0
	for i := range flag.Points {
		if len(all) == mostLooks || len(all) == glance && similar == 0 {
			break
		}
		p := &flag.Points[i]
		local := m.at(p.X, p.Y)
		sigma := float64(p.Scale) * local.zoom()
		x, y := m.apply(p.X, p.Y)
		if x < border || y < border || x >= float64(upload.width-border) || y >= float64(upload.height-border) || sigma < 0.8*firstSigma {
			continue
		}
		d := upload.description(p, local, sigma, a.Variant == Negative)
		bits := d.differing(x, y)
		if bits <= similarBits {
			similar++
		}
		all = append(all, looked{x: float64(p.X) / float64(flag.Width), y: float64(p.Y) / float64(flag.Height), u: x, v: y, first: bits, bits: bits})
		descriptions = append(descriptions, d)
	}
	if float64(similar) >= leastSimilar*float64(len(all)) {
		for i := range all {
			all[i].bits = descriptions[i].nearby(all[i].u, all[i].v, all[i].first)
		}
	}
	g := summed(all)
	g.Differs = differs(all, upload)
	g.Compared = flag.Frame.compare(flag, upload, a, m)
	return g
}

// description is how a point of the flag is described in the upload's plane.
type description struct {
	of           *Point
	plane        image
	step         float64
	sigma        float64
	across, down vector
	negative     bool
}

func (p *Plane) description(of *Point, m linear, sigma float64, negative bool) description {
	d := description{of: of, sigma: sigma, negative: negative}
	d.plane, d.step = p.at(sigma)
	sin, cos := math.Sincos(float64(of.Angle))
	unit := float64(sampleUnit(of.Scale)) / d.step
	d.across = vector{float32(unit * (m.a*cos + m.b*sin)), float32(unit * (m.d*cos + m.e*sin))}
	d.down = vector{float32(unit * (m.b*cos - m.a*sin)), float32(unit * (m.e*cos - m.d*sin))}
	return d
}

// at is the blurred plane whose blur is nearest, and the pixels of the Features for one of it.
func (p *Plane) at(sigma float64) (image, float64) {
	// The first planes of an octave are the last of the one before.
	level := max(1, int(math.Round(math.Log2(sigma/firstSigma)*intervals)))
	octave := min((level-1)/intervals, len(p.octaves)-1)
	return p.octaves[octave].blurred[min(level-octave*intervals, intervals)], math.Exp2(float64(octave))
}

// differing is the number of bits that differ at a place.
func (d *description) differing(x, y float64) int {
	b := describeAt(d.plane, float32(x/d.step), float32(y/d.step), d.across, d.down)
	if d.negative {
		b = b.opposite()
	}
	return bits.OnesCount64(b[0]^d.of.Bits[0]) + bits.OnesCount64(b[1]^d.of.Bits[1])
}

// nearby is the least number at places near x, y: the map may miss by a little.
func (d *description) nearby(x, y float64, least int) int {
	for reach := d.sigma; reach > d.sigma/4 && least > nearEnough; reach /= 2 {
		bx, by := x, y
		for _, to := range [4][2]float64{{-1, 0}, {1, 0}, {0, -1}, {0, 1}} {
			if n := d.differing(x+reach*to[0], y+reach*to[1]); n < least {
				least, bx, by = n, x+reach*to[0], y+reach*to[1]
			}
		}
		x, y = bx, by
	}
	return least
}

// opposite is the description where all gradients have the opposite direction.
func (b Bits) opposite() Bits {
	const low = 0x0f0f0f0f0f0f0f0f
	for i, v := range b {
		b[i] = v>>4&low | v&low<<4
	}
	return b
}
