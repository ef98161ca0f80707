package keypoint

import (
	"encoding/binary"
	"math"
	"slices"

	"moderator/internal/pdq"
)

// Frame is what a flag's whole frame looks like, coarsely: it says what is where no keypoint is, such as flat areas, bars and fields
// that are filled in.
type Frame struct {
	// A difference hash: bits of the pairs of neighbouring cells of which the second is brighter, and darker. Both are set where they
	// differ by too little to say, neither where they are alike.
	Brighter, Darker [dhashPairs / 64]uint64
	PDQ              pdq.Hash // of the frame as it is sampled here; zero: there is no Frame
}

const (
	dhashSide  = 32
	dhashCells = dhashSide * dhashSide
	dhashPairs = 2 * dhashCells              // each cell with the one right of it, then with the one below it; those at the edge have none
	frameSize  = 2*dhashPairs/8 + pdq.Bits/8 // bytes
	// Differences below and from these shares of the mean are alike, and differ.
	alikeBelow, differFrom = 0.1, 0.4
	// And those above this multiple of it count as that: letters would outweigh the picture that they lie on.
	clippedAt = 3
	// cellSigma is the blur of a cell, in cells.
	cellSigma = 0.5
	// wholeFrom is the share of the frame that must be shown for the hash to say anything.
	wholeFrom = 0.95
)

// Compared is what an upload shows of a flag's Frame where an agreement's map brings it. A copy has nearly all differences where the
// flag has them.
type Compared struct {
	Pairs    int     // of cells that the map brings into the upload; 0: the rest says nothing
	Same     float64 // differences of the flag's sign, less those of the opposite one, as a share of both in brightness, -1 to 1
	Appeared float64 // share of the pairs that are alike in the flag, and differ
	Vanished float64 // share of the pairs that differ in the flag, and are alike or the other way round
	Alike    float64 // share of 8 x 8 parts of the frame in which few pairs do so
	Worst    float64 // the ninth decile of the share of pairs in a part that do so
	PDQ      int     // bits that differ from the flag's; -1: the upload does not show all of it
}

// Frame is that of the plane's whole picture.
func (p *Plane) Frame() Frame {
	differences, _ := p.differences(p.width, p.height, homography{a: 1, e: 1})
	var sum float32
	for _, d := range differences {
		sum += max(d, -d)
	}
	mean := sum / (2 * dhashSide * (dhashSide - 1))
	f := Frame{PDQ: p.hash(p.width, p.height, homography{a: 1, e: 1})}
	for i, d := range differences {
		size := max(d, -d)
		unsure := size >= max(alikeBelow*mean, perLevel/4) && size < max(differFrom*mean, perLevel/2)
		if unsure || size >= perLevel/2 && d >= differFrom*mean {
			f.Brighter[i/64] |= 1 << (i % 64)
		}
		if unsure || size >= perLevel/2 && -d >= differFrom*mean {
			f.Darker[i/64] |= 1 << (i % 64)
		}
	}
	return f
}

// hash is PDQ of a frame of width x height, where the map brings it.
func (p *Plane) hash(width, height int, m homography) pdq.Hash {
	values, _ := p.cells(pdq.Grid, width, height, m)
	return pdq.OfGrid((*[pdq.Grid * pdq.Grid]float32)(values))
}

// cells are the levels of side x side cells of a frame of width x height, row by row, where the map brings them, and whether that is
// inside the plane.
func (p *Plane) cells(side, width, height int, m homography) (values []float32, inside []bool) {
	values, inside = make([]float32, side*side), make([]bool, side*side)
	across, down := float64(width)/float64(side), float64(height)/float64(side)
	zoom := m.at(float32(width)/2, float32(height)/2).zoom()
	plane, step := p.at(cellSigma * zoom * math.Sqrt(across*down))
	for i := range values {
		u, v := m.apply(float32((float64(i%side)+0.5)*across-0.5), float32((float64(i/side)+0.5)*down-0.5))
		inside[i] = u >= 0 && v >= 0 && u <= float64(p.width-1) && v <= float64(p.height-1)
		values[i] = plane.between(float32(u/step), float32(v/step))
	}
	return values, inside
}

// sign is 1, -1, or 0 where the two are alike; unsure where they differ by little.
func (f *Frame) sign(pair int) (sign float32, unsure bool) {
	brighter, darker := f.Brighter[pair/64]>>(pair%64)&1, f.Darker[pair/64]>>(pair%64)&1
	return float32(brighter) - float32(darker), brighter&darker == 1
}

// differences are those of the pairs of cells of a frame of width x height, where the map brings them; those that it does not bring
// into the plane are not valid.
func (p *Plane) differences(width, height int, m homography) (differences [dhashPairs]float32, valid [dhashPairs]bool) {
	values, inside := p.cells(dhashSide, width, height, m)
	pair := func(i, a, b int) {
		if valid[i] = inside[a] && inside[b]; valid[i] {
			differences[i] = values[b] - values[a]
		}
	}
	for i := range values {
		if i%dhashSide < dhashSide-1 {
			pair(i, i, i+1)
		}
		if i < dhashCells-dhashSide {
			pair(dhashCells+i, i, i+dhashSide)
		}
	}
	return differences, valid
}

// between is the level between pixels; the image goes on beyond its edges as it is there.
func (m image) between(x, y float32) float32 {
	x, y = max(0, min(x, float32(m.width-1))), max(0, min(y, float32(m.height-1)))
	left, top := int(x), int(y)
	right, bottom := min(left+1, m.width-1), min(top+1, m.height-1)
	dx, dy := x-float32(left), y-float32(top)
	upper := float32(m.at(left, top))*(1-dx) + float32(m.at(right, top))*dx
	lower := float32(m.at(left, bottom))*(1-dx) + float32(m.at(right, bottom))*dx
	return upper*(1-dy) + lower*dy
}

// part is what the pairs of one part of the frame come to.
type part struct{ pairs, changed int }

const (
	partsSide   = 8
	leastPairs  = 8   // of a part, to say anything
	mostChanged = 0.1 // share of the pairs of a part that is alike
)

// compare looks at the upload's plane where the map has the flag's frame.
func (f *Frame) compare(flag Features, upload *Plane, a Agreement, m homography) Compared {
	if f.PDQ == (pdq.Hash{}) {
		return Compared{}
	}
	differences, valid := upload.differences(flag.Width, flag.Height, m)
	c := Compared{PDQ: -1}
	var mean float32
	for i, d := range differences {
		if valid[i] {
			mean += max(d, -d)
			c.Pairs++
		}
	}
	if c.Pairs == 0 || mean == 0 {
		return Compared{}
	}
	mean /= float32(c.Pairs)
	var same, all float32
	var alike, appeared, differ, vanished int
	var parts [partsSide * partsSide]part
	for i, d := range differences {
		sign, unsure := f.sign(i)
		if !valid[i] || unsure {
			continue
		}
		if a.Variant == Negative {
			d = -d
		}
		x, y := i%dhashSide, i%dhashCells/dhashSide
		of := &parts[y*partsSide/dhashSide*partsSide+x*partsSide/dhashSide]
		of.pairs++
		changed := false
		if sign == 0 {
			alike++
			if changed = max(d, -d) >= differFrom*mean; changed {
				appeared++
			}
		} else {
			differ++
			if changed = sign*d < alikeBelow*mean; changed {
				vanished++
			}
			d = max(-clippedAt*mean, min(clippedAt*mean, d))
			same, all = same+sign*d, all+max(d, -d)
		}
		if changed {
			of.changed++
		}
	}
	if all > 0 {
		c.Same = float64(same / all)
	}
	c.Appeared, c.Vanished = float64(appeared)/float64(max(alike, 1)), float64(vanished)/float64(max(differ, 1))
	c.Alike, c.Worst = partsAlike(parts[:])
	if a.Shown >= wholeFrom {
		c.PDQ = f.PDQ.Distance(upload.hash(flag.Width, flag.Height, m))
		if a.Variant == Negative {
			c.PDQ = pdq.Bits - c.PDQ
		}
	}
	return c
}

func partsAlike(parts []part) (alike, worst float64) {
	var changed []float64
	for _, p := range parts {
		if p.pairs >= leastPairs {
			changed = append(changed, float64(p.changed)/float64(p.pairs))
		}
	}
	if len(changed) == 0 {
		return 0, 1
	}
	slices.Sort(changed)
	first, _ := slices.BinarySearch(changed, mostChanged)
	return float64(first) / float64(len(changed)), quantile(changed, 0.9)
}

// appendTo appends the stored form.
func (f *Frame) appendTo(out []byte) []byte {
	for _, w := range [2][]uint64{f.Brighter[:], f.Darker[:]} {
		for _, v := range w {
			out = binary.LittleEndian.AppendUint64(out, v)
		}
	}
	return append(out, f.PDQ[:]...)
}

// read reads the stored form, of frameSize bytes.
func (f *Frame) read(data []byte) {
	for i := range f.Brighter {
		f.Brighter[i] = binary.LittleEndian.Uint64(data[8*i:])
		f.Darker[i] = binary.LittleEndian.Uint64(data[dhashPairs/8+8*i:])
	}
	copy(f.PDQ[:], data[2*dhashPairs/8:])
}
