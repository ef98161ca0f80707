package imaging

// look is one way in which viewers turn the stored samples of a picture into colours. Where viewers differ, a picture has
// several looks, and each is judged: a picture must not hide in the one that is not.
type look struct {
	profile []byte       // ICC; nil for none
	space   *colourSpace // nil for sRGB, or where there is a profile
	opaque  bool         // alpha is ignored
}

const (
	maxLooks    = 3 // of a PNG: by its ICC profile, by cICP, by gAMA and cHRM
	backgrounds = 2 // white and black
)

// MaxRenderings is the most frames of a Result that one frame of a file becomes: each look on each background.
const MaxRenderings = maxLooks * backgrounds

// onBackgrounds puts premultiplied RGBA over white and over black, as light and dark pages do, and releases it. black is
// empty where it would look like white.
func (p plane) onBackgrounds() (white, black plane) {
	const noticeable = 2 // levels on the average; a transparent pixel counts 255
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
		rest := 255 - from[3] // no colour is above alpha, so that no sum is above 255
		to[0], to[1], to[2] = from[0]+rest, from[1]+rest, from[2]+rest
		if differ {
			copy(black.pix[3*i:3*i+3], from)
		}
	}
	p.release()
	return white, black
}
