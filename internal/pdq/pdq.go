package pdq

import "fmt"

// minSide is the smallest side, in pixels, of a picture that has a hash.
const minSide = 5

// Compute returns the hash and the quality, 0 to 100, of a luma plane of
// width x height bytes, row-major (the package comment says how to make it). A
// picture with fewer than five pixels in height or width has the zero hash and
// quality 0. Compute panics if luma does not have width x height bytes.
func Compute(width, height int, luma []byte) (Hash, int) {
	c, quality, ok := transform(width, height, luma)
	if !ok {
		return Hash{}, 0
	}
	return c.hash(c.median()), quality
}

// Turns returns the hashes of the plane in its eight turns, indexed by [Turn],
// and their common quality. It takes little longer than Compute.
//
// Compute of a turned plane differs by a few bits, because the filter is not
// symmetric if its box has an even length (129 to 256 and 385 to 512 pixels):
// drawings differed by up to 20 bits at 512 pixels, and by up to 44 at 131.
func Turns(width, height int, luma []byte) ([turns]Hash, int) {
	var hashes [turns]Hash
	given, quality, ok := transform(width, height, luma)
	if !ok {
		return hashes, 0
	}
	for _, m := range mirrorings {
		c := given.mirrored(m.rows, m.columns)
		median := c.median()
		hashes[m.turn] = c.hash(median)
		hashes[m.transposed] = c.transposed().hash(median)
	}
	return hashes, quality
}

// transform returns the spectrum and the quality of a plane, or false if it is
// too small to have a hash.
func transform(width, height int, luma []byte) (*spectrum, int, bool) {
	if width < 0 || height < 0 || len(luma) != width*height {
		panic(fmt.Sprintf("pdq: %d bytes of luma for %dx%d pixels, want width x height", len(luma), width, height))
	}
	if width < minSide || height < minSide {
		return nil, 0, false
	}
	s := reduce(width, height, luma)
	return s.spectrum(), s.quality(), true
}
