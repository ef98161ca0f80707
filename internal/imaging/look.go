package imaging

// look is one way in which viewers convert stored samples to colours. If viewers differ, a picture has several looks. Each
// is judged, so that a picture cannot hide in a look.
type look struct {
	profile []byte       // ICC; nil without one
	space   *colourSpace // nil for sRGB, or if profile is set
	opaque  bool         // alpha is ignored
}

const (
	maxLooks    = 3 // of a PNG: by its ICC profile, by cICP, and by gAMA and cHRM
	backgrounds = 2 // white and black
)

// MaxRenderings bounds the renderings of one frame: each look on each background.
const MaxRenderings = maxLooks * backgrounds

// onBackgrounds composes premultiplied RGBA over white and over black, as light and dark pages do, and releases p. black is
// empty if it would look like white.
func (p plane) onBackgrounds() (white, black plane) {
	const noticeable = 2 // levels on average; a transparent pixel counts 255
	n := p.width * p.height
	gap := 0
	for i := range n {
		gap += int(255 - p.pix[4*i+3])
	}
	white = newPlane(p.width, p.height, 3)
	differ := gap > noticeable*n
	if differ {
		black = newPlane(p.width, p.height, 3)
	}
	for i := range n {
		from, to := p.pix[4*i:4*i+4:4*i+4], white.pix[3*i:3*i+3:3*i+3]
		rest := 255 - from[3] // premultiplied colours are at most alpha, so that sums are at most 255
		to[0], to[1], to[2] = from[0]+rest, from[1]+rest, from[2]+rest
		if differ {
			copy(black.pix[3*i:3*i+3], from)
		}
	}
	p.release()
	return white, black
}
