package imaging

// canvas is one decoded frame: upright, 8-bit sRGB over white.
type canvas struct {
	plane
	fullWidth, fullHeight int // of the picture; more than the plane's when it was shrunk while decoding
}

func (c *canvas) reduced() bool { return c.width < c.fullWidth }

// full returns the size of a part of the canvas in pixels of the picture. Geometry is reckoned
// in those: from a shrunk canvas, whose sides were rounded, crops would come out a pixel aside.
func (c *canvas) full(r rect) (w, h int) {
	w = (r.width*c.fullWidth + c.width/2) / c.width
	h = (r.height*c.fullHeight + c.height/2) / c.height
	return w, h
}
