package imaging

// What counts as a border, and which borders are worth a view. A wider tolerance would also trim plain parts of the
// picture: skies, walls, shadows.
const (
	borderTolerance = 12   // levels by which a pixel's channels may differ from the border's colour (JPEG noise)
	borderOutliers  = 0.03 // share of a line's pixels that may differ by more
	ringing         = 8    // pixels beside a hard edge that JPEG's ringing reaches
	minTrimmed      = 0.05 // share of the area that must be trimmed; with less, the view would repeat the original
	minKept         = 0.15 // share of the area that must remain; less is a logo on a page, or noise on a blank one
	minKeptSide     = 16   // pixels
)

// margins are the numbers of pixels at the left, the top, the right and the bottom.
type margins [4]int

func (r rect) without(m margins) rect {
	return rect{r.left + m[0], r.top + m[1], max(0, r.width-m[0]-m[2]), max(0, r.height-m[1]-m[3])}
}

// trim returns the part of a picture inside its uniform borders (frames, letterboxes, bars of a screenshot). Each side may
// have another colour. ok is false if there is nothing to trim or too little would remain.
func trim(c *canvas) (r rect, ok bool) {
	outer := c.borders(c.whole())
	if outer == (margins{}) {
		return r, false // the usual case
	}
	r = c.whole().without(outer)

	// Again, for a letterbox inside a frame, beyond the frame's ringing.
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

// line is a row or a column of a part: length pixels from (x, y) on in steps of (right, down).
type line struct{ x, y, right, down, length int }

// borders measures the uniform rows at the top and bottom of a part, then the uniform columns at the sides of the rest.
func (c *canvas) borders(r rect) margins {
	row := line{r.left, r.top, 1, 0, r.width}
	top := c.uniformLines(row, 1, r.height)
	row.y += r.height - 1
	bottom := c.uniformLines(row, -1, r.height-top)

	column := line{r.left, r.top + top, 0, 1, r.height - top - bottom}
	left := c.uniformLines(column, 1, r.width)
	column.x += r.width - 1
	right := c.uniformLines(column, -1, r.width-left)
	return margins{left, top, right, bottom}
}

// uniformLines counts the adjacent lines, at most n, with the colour of the first. It adds one line, in which shrinking has
// mixed border and picture.
func (c *canvas) uniformLines(l line, advance, n int) int {
	if n <= 0 || l.length <= 0 {
		return 0
	}
	colour := c.median(l)
	for i := range n {
		if !c.hasColour(colour, l) {
			if i > 0 {
				i++
			}
			return i
		}
		l.x += advance * l.down
		l.y += advance * l.right
	}
	return n
}

func (c *canvas) hasColour(colour [3]byte, l line) bool {
	allowed := int(borderOutliers * float64(l.length))
	for i := range l.length {
		for channel, level := range c.at(l.x+i*l.right, l.y+i*l.down) {
			if d := int(level) - int(colour[channel]); d > borderTolerance || d < -borderTolerance {
				if allowed--; allowed < 0 {
					return false
				}
				break
			}
		}
	}
	return true
}

// median returns the median colour of a line, channel by channel.
func (c *canvas) median(l line) (colour [3]byte) {
	var counts [3][256]int
	for i := range l.length {
		for channel, level := range c.at(l.x+i*l.right, l.y+i*l.down) {
			counts[channel][level]++
		}
	}
	for channel := range counts {
		for level, seen := 0, 0; level < 256; level++ {
			if seen += counts[channel][level]; 2*seen >= l.length {
				colour[channel] = byte(level)
				break
			}
		}
	}
	return colour
}
