package imaging

import "math"

// codePoints name a colour space in PNG (cICP), AVIF and HEIF (nclx): ITU-T H.273, tables 2 and 3.
type codePoints struct{ primaries, transfer int }

// space returns the colour space. ok is false if it looks like sRGB, and for unknown numbers, which viewers ignore.
func (c codePoints) space() (space colourSpace, ok bool) {
	space = srgbSpace(srgbLight)
	d65 := func(red, green, blue [2]float64) {
		space.red, space.green, space.blue, ok = red, green, blue, true
	}
	switch c.primaries {
	case 4: // BT.470 M
		d65([2]float64{0.67, 0.33}, [2]float64{0.21, 0.71}, [2]float64{0.14, 0.08})
		space.white = [2]float64{0.31, 0.316}
	case 9: // BT.2020
		d65([2]float64{0.708, 0.292}, [2]float64{0.17, 0.797}, [2]float64{0.131, 0.046})
	case 11, 12: // P3
		d65([2]float64{0.68, 0.32}, [2]float64{0.265, 0.69}, [2]float64{0.15, 0.06})
	}
	// High dynamic range is clipped at the brightness of white paper, 203 cd/m² by BT.2408.
	curves := map[int]func(float64) float64{
		5:  power(2.8),
		8:  power(1),
		9:  func(x float64) float64 { return math.Pow(10, 2*(x-1)) },
		10: func(x float64) float64 { return math.Pow(10, 2.5*(x-1)) },
		16: func(x float64) float64 { return 10_000. / 203 * perceptualQuantiser(x) },
		17: func(x float64) float64 { return 52.37 / 48 * math.Pow(x, 2.6) },
		18: func(x float64) float64 { return hybridLogGamma(x) / hybridLogGamma(0.75) },
	}
	if curve := curves[c.transfer]; curve != nil {
		space.curves, ok = [3]func(float64) float64{curve, curve, curve}, true
	}
	return space, ok
}

// perceptualQuantiser is the EOTF of SMPTE ST 2084, in parts of 10,000 cd/m².
func perceptualQuantiser(x float64) float64 {
	const m1, m2, c1, c2, c3 = 2610. / 16384, 2523. / 32, 3424. / 4096, 2413. / 128, 2392. / 128
	root := math.Pow(x, 1/m2)
	return math.Pow(max(root-c1, 0)/(c2-c3*root), 1/m1)
}

// hybridLogGamma is the inverse of the OETF of ITU-R BT.2100.
func hybridLogGamma(x float64) float64 {
	const a, b, c = 0.17883277, 0.28466892, 0.55991073
	if x <= 0.5 {
		return x * x / 3
	}
	return (math.Exp((x-c)/a) + b) / 12
}
