package imaging

import (
	"encoding/binary"
	"math"
)

// pngColours holds the colour chunks of a PNG other than iCCP (third edition, section 11.3.2). Browsers honour them, with
// different precedence; most thumbnailers do not. So each chunk that changes the picture is a look of its own.
type pngColours struct {
	gamma          float64 // of the samples: 0.45455 for a usual display; 0 without gAMA
	chromaticities []byte  // of cHRM
	points         codePoints
}

// read keeps the first intact chunk of each kind, as libpng does.
func (p *pngColours) read(c pngChunk) {
	switch {
	case c.kind == "gAMA" && len(c.data) == 4 && p.gamma == 0 && c.intact():
		p.gamma = float64(binary.BigEndian.Uint32(c.data)) / 100_000
	case c.kind == "cHRM" && len(c.data) == 32 && p.chromaticities == nil && c.intact():
		p.chromaticities = c.data
	case c.kind == "cICP" && len(c.data) == 4 && p.points == (codePoints{}) && c.intact():
		p.points = codePoints{int(c.data[0]), int(c.data[1])}
	}
}

// looks returns the looks that differ from sRGB.
func (p *pngColours) looks() (looks []look) {
	if space, ok := p.points.space(); ok {
		looks = append(looks, look{space: &space})
	}
	if space, ok := p.space(); ok {
		looks = append(looks, look{space: &space})
	}
	return looks
}

// space returns the space of gAMA and cHRM. ok is false if it looks like sRGB.
func (p *pngColours) space() (space colourSpace, ok bool) {
	const usual, noticeable = 1 / 2.2, 0.05 // libpng's threshold
	space = srgbSpace(srgbLight)
	if p.gamma > 0 && math.Abs(p.gamma/usual-1) > noticeable {
		curve := power(1 / p.gamma)
		space.curves, ok = [3]func(float64) float64{curve, curve, curve}, true
	}
	if p.chromaticities == nil {
		return space, ok
	}
	for i, c := range []*[2]float64{&space.white, &space.red, &space.green, &space.blue} {
		for axis := range 2 {
			value := float64(binary.BigEndian.Uint32(p.chromaticities[8*i+4*axis:])) / 100_000
			ok = ok || math.Abs(value-c[axis]) > noticeable
			c[axis] = value
		}
	}
	return space, ok
}
