package imaging

import "math"

// colourSpace holds the chromaticities (CIE x, y) of primaries and white, and for each primary the curve from a sample to
// linear light, both 0 to 1.
type colourSpace struct {
	red, green, blue, white [2]float64
	curves                  [3]func(float64) float64
}

// srgbSpace returns a space with the primaries of sRGB (IEC 61966-2-1) and one curve.
func srgbSpace(curve func(float64) float64) colourSpace {
	return colourSpace{
		red: [2]float64{0.64, 0.33}, green: [2]float64{0.3, 0.6}, blue: [2]float64{0.15, 0.06}, white: whiteD65,
		curves: [3]func(float64) float64{curve, curve, curve},
	}
}

var whiteD65 = [2]float64{0.3127, 0.329}

func srgbLight(x float64) float64 {
	if x <= 0.04045 {
		return x / 12.92
	}
	return math.Pow((x+0.055)/1.055, 2.4)
}

// power returns the curve of a display's gamma.
func power(gamma float64) func(float64) float64 {
	return func(x float64) float64 { return math.Pow(x, gamma) }
}

// linearSpace returns a space whose samples are linear light.
func linearSpace() *colourSpace {
	space := srgbSpace(power(1))
	return &space
}

// tables returns the light of each level, interleaved red, green, blue: levels*3 numbers from 0 to 1.
func (c *colourSpace) tables(levels int) []float32 {
	out := make([]float32, 0, 3*levels)
	for i := range levels {
		for _, curve := range c.curves {
			out = append(out, float32(min(max(curve(float64(i)/float64(levels-1)), 0), 1)))
		}
	}
	return out
}

// matrix converts light of these primaries to sRGB's, with Bradford's adaptation of white (ICC.1:2022, Annex E). It is the
// identity if the primaries are degenerate.
func (c *colourSpace) matrix() (m matrix3) {
	srgb := srgbSpace(nil)
	own, ok := c.primaries()
	target, _ := srgb.primaries()
	back, _ := target.inverse()
	cones := matrix3{{0.8951, 0.2664, -0.1614}, {-0.7502, 1.7135, 0.0367}, {0.0389, -0.0685, 1.0296}}
	uncones, _ := cones.inverse()
	from, to := cones.times(xyz(c.white)), cones.times(xyz(srgb.white))
	var scale matrix3
	for i := range 3 {
		scale[i][i] = to[i] / from[i]
	}
	m = back.product(uncones).product(scale).product(cones).product(own)
	for _, row := range m {
		for _, v := range row {
			ok = ok && math.Abs(v) < 100 // false for infinity and NaN
		}
	}
	if !ok {
		return matrix3{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}
	}
	return m
}

// primaries returns the matrix from light to XYZ. ok is false if the primaries are degenerate.
func (c *colourSpace) primaries() (m matrix3, ok bool) {
	for i, column := range [3][3]float64{xyz(c.red), xyz(c.green), xyz(c.blue)} {
		for row := range 3 {
			m[row][i] = column[row]
		}
	}
	inverse, ok := m.inverse()
	for i, strength := range inverse.times(xyz(c.white)) {
		for row := range 3 {
			m[row][i] *= strength
		}
	}
	return m, ok
}

// xyz returns the XYZ of a chromaticity with Y = 1.
func xyz(c [2]float64) [3]float64 { return [3]float64{c[0] / c[1], 1, (1 - c[0] - c[1]) / c[1]} }

type matrix3 [3][3]float64

func (m matrix3) times(v [3]float64) (out [3]float64) {
	for i := range 3 {
		out[i] = m[i][0]*v[0] + m[i][1]*v[1] + m[i][2]*v[2]
	}
	return out
}

func (m matrix3) product(n matrix3) (out matrix3) {
	for i := range 3 {
		for j := range 3 {
			out[i][j] = m[i][0]*n[0][j] + m[i][1]*n[1][j] + m[i][2]*n[2][j]
		}
	}
	return out
}

func (m matrix3) inverse() (out matrix3, ok bool) {
	minor := func(i, j int) float64 {
		a, b, c, d := (i+1)%3, (i+2)%3, (j+1)%3, (j+2)%3
		return m[a][c]*m[b][d] - m[a][d]*m[b][c]
	}
	determinant := m[0][0]*minor(0, 0) + m[0][1]*minor(0, 1) + m[0][2]*minor(0, 2)
	for i := range 3 {
		for j := range 3 {
			out[j][i] = minor(i, j) / determinant
		}
	}
	return out, math.Abs(determinant) > 1e-6
}
