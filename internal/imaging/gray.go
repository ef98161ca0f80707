package imaging

// Gray is PDQ's input: luma 0.299 R + 0.587 G + 0.114 B, rounded, row-major, Width*Height bytes.
type Gray struct {
	Width, Height int
	Pix           []byte
}

// graySide is the side of the square to which PDQ's reference implementation resizes pictures with a longer side. Here
// only pictures with more pixels than that square are resized: PDQ's 64 samples along a side cover the same parts.
const graySide = 512

// MaxGray bounds the pixels of a gray plane.
const MaxGray = graySide * graySide

// grayNeed is the shorter side of a canvas that is enough for a gray plane: six pixels for each of PDQ's 64 samples along a
// side. Its hashes differ by a bit or two from those of 512 pixels; with 320 pixels they differ by ten and more.
const grayNeed = 384

// gray makes PDQ's input from a part of a luma plane, by averaging. The reference picks nearest pixels and then filters;
// its filter removes the difference.
func gray(luma plane, part rect, o orientation, room func(n int) []byte) (*Gray, error) {
	w, h := part.width, part.height
	if w*h > MaxGray {
		w, h = graySide, graySide
	}
	p, err := luma.resampled(part, w, h, KernelLinear, rect{0, 0, w, h}, room(w*h))
	if err != nil {
		return nil, err
	}
	p = p.turned(o)
	return &Gray{Width: p.width, Height: p.height, Pix: p.pix}, nil
}
