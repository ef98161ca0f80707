package imaging

// What counts as a border, and which borders are worth a view. A wider tolerance would take
// along what borders a frame and is nearly as plain: skies, walls, the dark.
const (
	borderTolerance = 12   // levels by which any channel of a pixel may be off the border's colour: JPEG's noise
	borderOutliers  = 0.03 // share of a line's pixels that may be off by more
	ringing         = 8    // pixels beside a hard edge to which JPEG carries it
	minTrimmed      = 0.05 // share of the area that must go, or the view would repeat the original
	minKept         = 0.15 // share of the area that must stay: less is a logo on a page, or noise on a blank one
	minKeptSide     = 16   // pixels
)

// margins are the numbers of pixels at the left, the top, the right and the bottom.
type margins [4]int

func (r rect) without(m margins) rect {
	return rect{r.left + m[0], r.top + m[1], max(0, r.width-m[0]-m[2]), max(0, r.height-m[1]-m[3])}
}

// trim finds what uniform borders (frames, letterboxes, the bars of a screenshot) leave of a
// picture. Each side has a colour of its own. ok is false when there is nothing to trim or
// too little would stay.
func trim(c *canvas) (r rect, ok bool) {
	outer := c.borders(rect{0, 0, c.width, c.height})
	if outer == (margins{}) {
		return r, false // as nearly always
	}
	r = rect{0, 0, c.width, c.height}.without(outer)

	// Once more, for a letterbox inside a frame: beyond the trace that the frame left of itself.
	var trace, more margins
	for side := range outer {
		if outer[side] > 0 {
			trace[side] = ringing
		}
	}
	for side, inner := range c.borders(r.without(trace)) {
		if inner > 0 {
			more[side] = trace[side] + inner
		}
	}
	r = r.without(more)

	area, kept := float64(c.width*c.height), float64(r.width*r.height)
	ok = kept <= (1-minTrimmed)*area && kept >= minKept*area && min(r.width, r.height) >= minKeptSide
	return r, ok
}

// borders measures the uniform rows at the top and the bottom of a part, then the uniform columns
// at the sides of what is left.
func (c *canvas) borders(r rect) margins {
	const pixel = 3
	row := pixel * c.width
	start := r.top*row + r.left*pixel
	top := c.uniformLines(start, row, r.height, pixel, r.width)
	bottom := c.uniformLines(start+(r.height-1)*row, -row, r.height-top, pixel, r.width)
	height := r.height - top - bottom

	start += top * row
	left := c.uniformLines(start, pixel, r.width, row, height)
	right := c.uniformLines(start+(r.width-1)*pixel, -pixel, r.width-left, row, height)
	return margins{left, top, right, bottom}
}

// uniformLines counts how many of n lines have the colour of the first, and one more, in which
// shrinking mixed border and picture. A line is length pixels, step bytes apart; the first
// begins at the byte start, the next one advance further.
func (c *canvas) uniformLines(start, advance, n, step, length int) int {
	if n <= 0 || length <= 0 {
		return 0
	}
	colour := c.median(start, step, length)
	for i := range n {
		if !c.hasColour(colour, start+i*advance, step, length) {
			if i > 0 {
				i++
			}
			return i
		}
	}
	return n
}

func (c *canvas) hasColour(colour [3]byte, at, step, length int) bool {
	allowed := int(borderOutliers * float64(length))
	for ; length > 0; length, at = length-1, at+step {
		for channel, want := range colour {
			if d := int(c.pix[at+channel]) - int(want); d > borderTolerance || d < -borderTolerance {
				if allowed--; allowed < 0 {
					return false
				}
				break
			}
		}
	}
	return true
}

// median is the colour of a line, channel by channel; outliers do not move it.
func (c *canvas) median(at, step, length int) (colour [3]byte) {
	var counts [3][256]int
	for i := range length {
		for channel := range counts {
			counts[channel][c.pix[at+i*step+channel]]++
		}
	}
	for channel := range counts {
		for level, seen := 0, 0; level < 256; level++ {
			if seen += counts[channel][level]; 2*seen >= length {
				colour[channel] = byte(level)
				break
			}
		}
	}
	return colour
}
