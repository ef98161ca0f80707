package imaging

// rgba is the canvas of an animation: straight RGBA, row-major.
type rgba struct {
	pix   []byte
	width int
}

func (p rgba) row(f apngFrame, y int) []byte {
	at := 4 * ((f.top+y)*p.width + f.left)
	return p.pix[at : at+4*f.width]
}

func (p rgba) clear(f apngFrame) {
	for y := range f.height {
		clear(p.row(f, y))
	}
}

// draw draws the pixels of a frame at its place.
func (p rgba) draw(f apngFrame, pixels []byte) {
	for y := range f.height {
		to, from := p.row(f, y), pixels[4*y*f.width:4*(y+1)*f.width]
		if f.blend != blendOver {
			copy(to, from)
			continue
		}
		for i := 0; i < len(to); i += 4 {
			over(to[i:i+4:i+4], from[i:i+4:i+4])
		}
	}
}

// over composes one straight pixel over another.
func over(to, from []byte) {
	above, below := uint32(from[3]), uint32(to[3])
	switch {
	case above == 255 || below == 0:
		copy(to, from)
		return
	case above == 0:
		return
	}
	rest := below * (255 - above) // in units of 1/255
	alpha := 255*above + rest
	for band := range 3 {
		to[band] = byte((255*above*uint32(from[band]) + rest*uint32(to[band]) + alpha/2) / alpha)
	}
	to[3] = byte((alpha + 127) / 255)
}
