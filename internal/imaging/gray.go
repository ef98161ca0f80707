package imaging

// Gray is what PDQ hashes: luma 0.299 R + 0.587 G + 0.114 B, rounded, row-major.
type Gray struct {
	Width, Height int
	Pix           []byte
}

// graySide is the size that PDQ's reference implementation brings a picture to (both sides, whatever the
// aspect) when either of its sides is longer.
const graySide = 512

// luma is the brightness of each RGB pixel.
func luma(rgb []byte) []byte {
	// In 16-bit fixed point; the weights add up to 1.
	const r, g, b, half = 19595, 38470, 7471, 1 << 15
	out := make([]byte, len(rgb)/3)
	for i := range out {
		p := rgb[3*i : 3*i+3 : 3*i+3]
		out[i] = byte((uint32(p[0])*r + uint32(p[1])*g + uint32(p[2])*b + half) >> 16)
	}
	return out
}

// gray cuts a part out of the luma plane, turns it, and brings it to PDQ's size. The
// reference picks the nearest pixel; averaging differs from that by what its own
// filter takes out next.
func (p *painter) gray(part rect, orientation int) (*Gray, error) {
	view, err := p.luma.part(part, orientation)
	if err != nil {
		return nil, err
	}
	defer view.close()
	w, h := view.width(), view.height()
	if w > graySide || h > graySide {
		w, h = graySide, graySide
	}
	pix, err := view.resized(w, h, KernelLinear, rect{0, 0, w, h})
	return &Gray{Width: w, Height: h, Pix: pix}, err
}
