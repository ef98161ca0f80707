package imaging

// orientation is one of the eight turns and mirrors of a picture, with the numbers of EXIF (CIPA DC-008) for what a viewer
// has to do.
type orientation int

const (
	orientationUpright orientation = 1
	orientationMirror  orientation = 2
	orientationHalf    orientation = 3
	orientationUpDown  orientation = 4 // top and bottom exchanged
	orientationMain    orientation = 5 // mirrored along the main diagonal
	orientationRight   orientation = 6 // a quarter turn clockwise
	orientationAnti    orientation = 7 // mirrored along the other diagonal
	orientationLeft    orientation = 8
)

// swaps reports whether width and height are exchanged.
func (o orientation) swaps() bool { return o >= 5 }

// size returns the size of a picture of w x h after the turn, and before it.
func (o orientation) size(w, h int) (int, int) {
	if o.swaps() {
		return h, w
	}
	return w, h
}

// before returns the part of the unturned picture that becomes r in the turned picture of w x h.
func (o orientation) before(r rect, w, h int) rect {
	right, below := w-r.left-r.width, h-r.top-r.height
	switch o {
	case orientationMirror:
		return rect{right, r.top, r.width, r.height}
	case orientationHalf:
		return rect{right, below, r.width, r.height}
	case orientationUpDown:
		return rect{r.left, below, r.width, r.height}
	case orientationMain:
		return rect{r.top, r.left, r.height, r.width}
	case orientationAnti:
		return rect{below, right, r.height, r.width}
	case orientationRight:
		return rect{r.top, right, r.height, r.width}
	case orientationLeft:
		return rect{below, r.left, r.height, r.width}
	}
	return r
}
