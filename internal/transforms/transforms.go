// Package transforms edits pictures as people do before they upload them again. Each edit has a name and a fixed strength, and
// is reproducible. The quality measure and the demo use them; the training has edits of its own, which were written apart.
//
//	file ── Decode ──► 8-bit RGB ── Edit, with random numbers from a seed ──► file
//
// Geometry, colours and overlays are computed here. libvips resizes, blurs, warps, decodes and encodes.
package transforms

import (
	"hash/fnv"
	"image"
	"math/rand/v2"
)

// Group is the strength of an edit.
type Group string

// The groups: changes that happen as pictures are passed on, edits that people make, and edits that hide a copy.
const (
	Easy   Group = "easy"
	Medium Group = "medium"
	Hard   Group = "hard"
)

// Groups lists them in order.
func Groups() []Group { return []Group{Easy, Medium, Hard} }

// Edit is one named change.
type Edit struct {
	Name  string
	Group Group

	change  func(*editor, *image.RGBA) *image.RGBA
	quality int // of the JPEG; 0: defaultQuality
}

const (
	defaultQuality = 90

	nameInset  = "picture-in-picture-40"
	nameBeside = "side-by-side"
)

// NeedsOther reports whether the edit shows, or may show, the unrelated picture too.
func (e Edit) NeedsOther() bool {
	return e.Name == nameInset || e.Name == nameBeside || isVaried(e.Name)
}

// Apply edits a picture and returns a JPEG file. other is an unrelated picture, which some edits lay beside or around p.
// Neither is changed. Random choices, such as of a corner or of words, follow from the seed and the edit's name.
func (e Edit) Apply(p, other *image.RGBA, seed uint64) ([]byte, error) {
	edited, err := e.Picture(p, other, seed)
	if err != nil {
		return nil, err
	}
	quality := e.quality
	if quality == 0 {
		quality = defaultQuality
	}
	return Encode(edited, JPEG, quality)
}

// Picture is Apply without encoding.
func (e Edit) Picture(p, other *image.RGBA, seed uint64) (*image.RGBA, error) {
	name := fnv.New64a()
	name.Write([]byte(e.Name))
	ed := &editor{Rand: rand.New(rand.NewPCG(seed, name.Sum64())), other: other}
	edited := e.change(ed, p)
	return edited, ed.err
}

// editor is the state of one edit. After the first error of libvips, further steps are skipped.
type editor struct {
	*rand.Rand
	other *image.RGBA
	err   error
}

func (e *editor) between(lo, hi float64) float64 { return lo + (hi-lo)*e.Float64() }

func (e *editor) coin() bool { return e.IntN(2) == 0 }

// Quality returns the edits of the quality measure, in the order of the groups.
func Quality() []Edit {
	return []Edit{
		{Name: "jpeg-75", Group: Easy, change: unchanged, quality: 75},
		{Name: "jpeg-30", Group: Easy, change: unchanged, quality: 30},
		{Name: "half-size", Group: Easy, change: halfSize},
		{Name: "thumbnail-128", Group: Easy, change: thumbnail},
		{Name: "grey", Group: Easy, change: grey},
		{Name: "brightness-contrast", Group: Easy, change: brightnessContrast},
		{Name: "gamma-0.6", Group: Easy, change: gamma},
		{Name: "saturation-hue", Group: Easy, change: saturationHue},
		{Name: "blur-1.5", Group: Easy, change: func(e *editor, p *image.RGBA) *image.RGBA { return e.blur(p, 1.5) }},
		{Name: "crop-95", Group: Easy, change: func(e *editor, p *image.RGBA) *image.RGBA { return e.crop(p, 0.95) }},
		{Name: "corner-watermark", Group: Easy, change: watermark},

		{Name: "jpeg-8", Group: Medium, change: unchanged, quality: 8},
		{Name: "crop-80-centre", Group: Medium, change: cropCentre},
		{Name: "crop-75-corner", Group: Medium, change: cropCorner},
		{Name: "stretched-140", Group: Medium, change: stretched},
		{Name: "border-12", Group: Medium, change: border},
		{Name: "caption-bar", Group: Medium, change: captionBar},
		{Name: "large-text", Group: Medium, change: largeText},
		{Name: "sticker-15", Group: Medium, change: sticker},
		{Name: "rotated-5", Group: Medium, change: func(e *editor, p *image.RGBA) *image.RGBA { return e.rotate(p, 5) }},
		{Name: "noise", Group: Medium, change: func(e *editor, p *image.RGBA) *image.RGBA { return e.noise(p, 25) }},
		{Name: "blur-4", Group: Medium, change: func(e *editor, p *image.RGBA) *image.RGBA { return e.blur(p, 4) }},
		{Name: "sepia", Group: Medium, change: sepia},
		{Name: "phone-screenshot", Group: Medium, change: phone},
		{Name: "pixelated", Group: Medium, change: pixelated},
		{Name: "crop-90-jpeg-30-bar", Group: Medium, change: cropJPEGBar},

		{Name: "mirror", Group: Hard, change: mirror},
		{Name: "quarter-turn", Group: Hard, change: quarterTurn},
		{Name: "rotated-25", Group: Hard, change: func(e *editor, p *image.RGBA) *image.RGBA { return e.rotate(p, 25) }},
		{Name: "crop-50", Group: Hard, change: func(e *editor, p *image.RGBA) *image.RGBA { return e.crop(p, 0.5) }},
		{Name: "crop-60-mirror-jpeg-30", Group: Hard, change: cropMirror, quality: 30},
		{Name: nameInset, Group: Hard, change: pictureInPicture},
		{Name: "perspective", Group: Hard, change: perspective},
		{Name: nameBeside, Group: Hard, change: sideBySide},
		{Name: "negative", Group: Hard, change: negative},
		{Name: "checkerboard-35", Group: Hard, change: checkerboard},
		{Name: "photo-of-screen", Group: Hard, change: photoOfScreen, quality: 75},
		{Name: "combination", Group: Hard, change: combination, quality: 40},
	}
}
