package imaging

import (
	"encoding/binary"
	"math"
)

// isSRGB reports whether an ICC profile (ICC.1:2022) is equivalent to sRGB and need not be applied: an RGB profile of
// matrix and curves, with sRGB's primaries and curve. Its name does not matter. A malformed profile is not sRGB.
func isSRGB(profile []byte) bool {
	tags := profileTags(profile)
	if tags == nil || string(profile[16:20]) != "RGB " {
		return false
	}
	for name := range tags { // tables of any intent have precedence over matrix and curves
		if prefix := name[:3]; prefix == "A2B" || prefix == "D2B" {
			return false
		}
	}
	// The primaries of sRGB, adapted to D50 as in IEC 61966-2-1 Amendment 1, in XYZ.
	primaries := map[string][3]float64{
		"rXYZ": {0.4361, 0.2225, 0.0139},
		"gXYZ": {0.3851, 0.7169, 0.0971},
		"bXYZ": {0.1431, 0.0606, 0.7139},
	}
	for name, want := range primaries {
		tag := tags[name]
		if len(tag) < 20 || string(tag[:4]) != "XYZ " {
			return false
		}
		for i := range want {
			if math.Abs(fixed(tag[8+4*i:])-want[i]) > 0.002 {
				return false
			}
		}
	}
	return isSRGBCurve(tags["rTRC"]) && isSRGBCurve(tags["gTRC"]) && isSRGBCurve(tags["bTRC"])
}

// profileTags returns the tags of a profile by signature, or nil if it is malformed.
func profileTags(profile []byte) map[string][]byte {
	const header, entry = 128, 12
	if len(profile) < header+4 || string(profile[36:40]) != "acsp" {
		return nil
	}
	count := binary.BigEndian.Uint32(profile[header:])
	if count > 100 || len(profile) < header+4+entry*int(count) {
		return nil
	}
	tags := make(map[string][]byte, count)
	for i := range int(count) {
		e := profile[header+4+entry*i:]
		offset, size := uint64(binary.BigEndian.Uint32(e[4:])), uint64(binary.BigEndian.Uint32(e[8:]))
		if offset+size > uint64(len(profile)) {
			return nil
		}
		tags[string(e[:4])] = profile[offset : offset+size]
	}
	return tags
}

// isSRGBCurve compares a tone curve with sRGB's at sixteen points, with a tolerance of half an 8-bit level.
func isSRGBCurve(tag []byte) bool {
	curve := toneCurve(tag)
	if curve == nil {
		return false
	}
	for i := 1; i <= 16; i++ {
		x := float64(i) / 16
		want := math.Pow((x+0.055)/1.055, 2.4)
		// The slope converts a difference in light to one in levels.
		slope := 2.4 / 1.055 * math.Pow((x+0.055)/1.055, 1.4)
		if math.Abs(curve(x)-want)/slope > 0.5/255 {
			return false
		}
	}
	return true
}

// toneCurve returns the function of a curveType with a table or of a parametricCurveType of kind 3, the two encodings of
// sRGB's curve. It returns nil for others.
func toneCurve(tag []byte) func(float64) float64 {
	if len(tag) < 12 {
		return nil
	}
	switch string(tag[:4]) {
	case "curv":
		n := int(binary.BigEndian.Uint32(tag[8:]))
		if n < 16 || n > 1<<16 || len(tag) < 12+2*n {
			return nil
		}
		at := func(i int) float64 { return float64(binary.BigEndian.Uint16(tag[12+2*i:])) / math.MaxUint16 }
		return func(x float64) float64 {
			whole, part := math.Modf(x * float64(n-1))
			i := int(whole)
			return at(i) + part*(at(min(i+1, n-1))-at(i))
		}
	case "para":
		if binary.BigEndian.Uint16(tag[8:]) != 3 || len(tag) < 32 {
			return nil
		}
		g, a, b, c, d := fixed(tag[12:]), fixed(tag[16:]), fixed(tag[20:]), fixed(tag[24:]), fixed(tag[28:])
		return func(x float64) float64 {
			if x < d {
				return c * x
			}
			return math.Pow(a*x+b, g)
		}
	}
	return nil
}

// fixed reads an s15Fixed16Number.
func fixed(b []byte) float64 { return float64(int32(binary.BigEndian.Uint32(b))) / 65536 }
