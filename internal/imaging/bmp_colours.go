package imaging

import (
	"encoding/binary"
	"math"
)

// bitmapLook returns the colour space of a header of 108 or 124 bytes (BITMAPV4HEADER and BITMAPV5HEADER): an embedded
// profile, or end points and gamma. It returns the zero look for sRGB and for a linked profile, which no viewer loads.
func bitmapLook(whole, header []byte) (l look) {
	field := func(at int) uint32 { return binary.LittleEndian.Uint32(whole[at:]) }
	const calibrated, embedded = 0, 'M'<<24 | 'B'<<16 | 'E'<<8 | 'D'
	switch field(56) {
	case embedded:
		start, size := uint64(field(112)), uint64(field(116))
		if start+size > uint64(len(header)) {
			return l
		}
		if profile := header[start : start+size]; profileTags(profile) != nil && !isSRGB(profile) {
			l.profile = profile
		}
	case calibrated:
		if space, ok := calibratedSpace(field); ok {
			l.space = &space
		}
	}
	return l
}

// calibratedSpace reads the end points (XYZ, 2.30 fixed point) and gamma exponents (16.16). ok is false if the space looks
// like sRGB.
func calibratedSpace(field func(at int) uint32) (space colourSpace, ok bool) {
	const noticeable = 0.05
	space = srgbSpace(srgbLight)
	for i, primary := range []*[2]float64{&space.red, &space.green, &space.blue} {
		x, y, z := float64(field(60+12*i)), float64(field(64+12*i)), float64(field(68+12*i))
		if sum := x + y + z; y > 0 {
			given := [2]float64{x / sum, y / sum}
			ok = ok || math.Abs(given[0]-primary[0]) > noticeable || math.Abs(given[1]-primary[1]) > noticeable
			*primary = given
		}
		if gamma := float64(field(96+4*i)) / 65536; gamma > 0 && math.Abs(gamma/2.2-1) > noticeable {
			space.curves[i], ok = power(gamma), true
		}
	}
	return space, ok
}
