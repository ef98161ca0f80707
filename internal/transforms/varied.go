package transforms

import (
	"fmt"
	"image"
	"strings"
)

const variedName = "varied-"

// Varied returns n edits that combine others with strengths drawn at random. The weights of the evidence are fitted on them, so
// that the edits of the quality measure are not known beforehand.
func Varied(n int) []Edit {
	edits := make([]Edit, n)
	for i := range edits {
		edits[i] = Edit{Name: fmt.Sprintf("%s%02d", variedName, i), Group: []Group{Easy, Medium, Hard}[i%3], change: varied(i % 3), quality: 0}
	}
	return edits
}

// varied changes a picture in 1, 2 or 3 ways and more.
func varied(strength int) func(e *editor, p *image.RGBA) *image.RGBA {
	return func(e *editor, p *image.RGBA) *image.RGBA {
		kinds := []func(e *editor, p *image.RGBA, strength int) *image.RGBA{moved, overlaid, recoloured, degraded}
		e.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
		for _, change := range kinds[:1+min(strength+e.IntN(2), len(kinds)-1)] {
			p = change(e, p, strength)
		}
		return e.stored(p, 30+e.IntN(65))
	}
}

func moved(e *editor, p *image.RGBA, strength int) *image.RGBA {
	const leastToWarp = 96 // pixels of the shorter side
	kind := e.IntN(4 + 5*strength)
	if w, h := size(p); min(w, h) < leastToWarp && (kind == 6 || kind == 7 || kind == 11) {
		kind = 8
	}
	switch kind {
	case 0, 1, 2, 3, 4, 5:
		return e.crop(p, e.between(0.9-0.22*float64(strength), 0.98))
	case 6:
		return e.rotate(p, e.between(1, 20*float64(strength)))
	case 7, 11:
		return e.tilt(p, e.between(0.03, 0.1*float64(strength)), 255*float64(e.IntN(2)))
	case 8:
		return mirror(e, p)
	case 9:
		return sideBySide(e, p)
	case 10:
		return phone(e, p)
	case 12:
		return pictureInPicture(e, p)
	default:
		return []func(*editor, *image.RGBA) *image.RGBA{stretched, border, captionBar, quarterTurn}[e.IntN(4)](e, p)
	}
}

func overlaid(e *editor, p *image.RGBA, strength int) *image.RGBA {
	switch e.IntN(3 + strength) {
	case 0:
		return watermark(e, p)
	case 1:
		return Caption(p, e.words(e.IntN(4)), e.words(1+e.IntN(4)))
	case 2:
		return sticker(e, p)
	default:
		return checkered(e, p, 5+e.IntN(8), e.between(0.15, 0.38))
	}
}

func recoloured(e *editor, p *image.RGBA, strength int) *image.RGBA {
	switch e.IntN(5 + strength) {
	case 0:
		return grey(e, p)
	case 1:
		return gamma(e, p)
	case 2:
		return saturationHue(e, p)
	case 5:
		return sepia(e, p)
	case 6:
		return negative(e, p)
	default:
		return brightnessContrast(e, p)
	}
}

func degraded(e *editor, p *image.RGBA, strength int) *image.RGBA {
	w, h := size(p)
	switch e.IntN(4 + strength) {
	case 0:
		k := e.between(128, 400) / float64(max(w, h))
		return e.resize(p, scaled(w, min(k, 1)), scaled(h, min(k, 1)))
	case 1:
		return e.blur(p, e.between(0.5, 1.5+1.5*float64(strength)))
	case 2:
		return e.noise(p, e.between(4, 12+8*float64(strength)))
	case 3:
		return e.stored(p, 8+e.IntN(30))
	default:
		return blocks(e, p, e.between(30, 90))
	}
}

// isVaried tells edits that may show another picture too.
func isVaried(name string) bool { return strings.HasPrefix(name, variedName) }
