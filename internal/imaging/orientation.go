package imaging

// orientation is one of the eight ways to turn and mirror a picture, numbered as EXIF (CIPA
// DC-008) numbers what a viewer has to do.
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

// swaps tells whether width becomes height.
func (o orientation) swaps() bool { return o >= 5 }

// size is what a picture of w x h measures after the turn; it also undoes itself.
func (o orientation) size(w, h int) (int, int) {
	if o.swaps() {
		return h, w
	}
	return w, h
}

// before returns which part of the picture as it is becomes r of the turned one, which
// measures w x h.
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
