package imaging

// Gray is what PDQ hashes: luma 0.299 R + 0.587 G + 0.114 B, rounded, row-major.
type Gray struct {
	Width, Height int
	Pix           []byte
}

// graySide is the size that PDQ's reference implementation brings a picture to (both sides, whatever the
// aspect) when either of its sides is longer. Here only a picture of more pixels than that is: the 64 samples
// that PDQ takes along a side are those of the same parts either way.
const graySide = 512

// MaxGray is the most pixels that a gray plane has.
const MaxGray = graySide * graySide

// grayNeed is the shorter side from which a gray plane is made, where the picture is larger: six pixels for each of the
// 64 samples that PDQ takes along a side. Hashes made from it differ by a bit or two from those made from 512; from 320
// they differed by ten and more.
const grayNeed = 384

// gray makes PDQ's input of a part of a luma plane. The reference picks the nearest pixel of
// each; averaging differs from that by what its own filter takes out next.
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
