// Package transforms makes the changes that people make to pictures before they upload them again: named, of a fixed strength,
// the same each time. The quality measure and the demonstration use them; the training has its own, written apart.
//
//	file ── Decode ──► 8-bit RGB ── an Edit, with random numbers of its own ──► file
//
// Geometry, colours and what is laid over are computed here; resizing, blurring, warping and the codecs are libvips'.
package transforms

import (
	"hash/fnv"
	"image"
	"math/rand/v2"
)

// Group says how much an edit hides.
type Group string

// The groups: what happens by itself when pictures travel, what people do to make them theirs, and what hides a copy.
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

// NeedsOther tells whether the edit shows the unrelated picture too.
func (e Edit) NeedsOther() bool { return e.Name == nameInset || e.Name == nameBeside }

// Apply edits a picture and returns it as a JPEG file. What an edit leaves open (which corner, which words) follows from
// the seed and its name alone. other is the unrelated picture that some edits lay beside or around this one; neither is
// changed.
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

// Picture is Apply without the file.
func (e Edit) Picture(p, other *image.RGBA, seed uint64) (*image.RGBA, error) {
	name := fnv.New64a()
	name.Write([]byte(e.Name))
	ed := &editor{Rand: rand.New(rand.NewPCG(seed, name.Sum64())), other: other}
	edited := e.change(ed, p)
	return edited, ed.err
}

// editor is what an edit works with. The first failure of libvips is kept, and what follows is skipped.
type editor struct {
	*rand.Rand
	other *image.RGBA
	err   error
}

func (e *editor) between(lo, hi float64) float64 { return lo + (hi-lo)*e.Float64() }

func (e *editor) coin() bool { return e.IntN(2) == 0 }

// Quality returns the edits that the quality measure is made of, by group.
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
