package synth

import (
	"image"
	"math/rand/v2"
	"strings"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goitalic"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/gofont/gosmallcaps"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

type typeface int

const (
	regular typeface = iota
	bold
	italic
	medium
	mono
	smallCaps
)

// parsed holds the type faces of the library, whose parsing cannot fail.
var parsed = sync.OnceValue(func() []*opentype.Font {
	var all []*opentype.Font
	for _, ttf := range [][]byte{goregular.TTF, gobold.TTF, goitalic.TTF, gomedium.TTF, gomono.TTF, gosmallcaps.TTF} {
		f, err := opentype.Parse(ttf)
		if err != nil {
			panic("synth: " + err.Error())
		}
		all = append(all, f)
	}
	return all
})

// letters is a type face in one size.
type letters struct {
	face font.Face
	size float64
}

// set returns a type face of a height in pixels.
func set(f typeface, size float64) letters {
	face, err := opentype.NewFace(parsed()[f], &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		panic("synth: " + err.Error())
	}
	return letters{face, size}
}

// width returns the length of a line in pixels.
func (l letters) width(s string) float64 { return float64(font.MeasureString(l.face, s)) / 64 }

// write puts one line with its base line's left end at x, y.
func (c *canvas) write(l letters, s string, x, y float64, colour rgb) {
	c.writeMask(l, s, x, y, 1, flat(colour))
}

func (c *canvas) writeMask(l letters, s string, x, y, opacity float64, ink shader) {
	w, h := int(l.width(s))+4, int(l.size*1.6)+4
	if w <= 4 || w > 8*c.w {
		return
	}
	mask := image.NewAlpha(image.Rect(0, 0, w, h))
	ascent := int(l.size * 1.1)
	at := image.Pt(int(x)-1, int(y)-ascent)
	d := font.Drawer{Dst: mask, Src: image.Opaque, Face: l.face, Dot: fixed.P(1, ascent)}
	d.DrawString(s)
	c.blend(mask, at, opacity, ink)
}

// outlined writes white letters with a black rim, as captions are.
func (c *canvas) outlined(l letters, s string, x, y float64) {
	rim := max(1, l.size/14)
	for _, d := range []point{{-1, 0}, {1, 0}, {0, -1}, {0, 1}, {-0.7, -0.7}, {0.7, -0.7}, {-0.7, 0.7}, {0.7, 0.7}} {
		c.write(l, s, x+d.x*rim, y+d.y*rim, black)
	}
	c.write(l, s, x, y, white)
}

// wrap breaks a text into lines no wider than width pixels; a single word may
// be wider.
func (l letters) wrap(text string, width float64) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		longer := strings.TrimSpace(line + " " + word)
		if line != "" && l.width(longer) > width {
			lines = append(lines, line)
			longer = word
		}
		line = longer
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

var vocabulary = strings.Fields(`the a of to and in on for with about under over after before between without
morning river window garden market street coffee winter summer paper silver orange green letter number machine
captain doctor teacher neighbour dragon rabbit elephant penguin castle island bridge harbour mountain valley forest
station ticket journey bicycle engine signal yellow purple crimson quiet sudden broken hidden gentle ancient modern
nothing everything somebody always never maybe often twice seven eleven hundred million keeps makes finds loses
opens closes borrows paints builds writes sings sleeps wonders whispers promises forgets remembers delivers
kitchen battery keyboard meeting invoice deadline weather lemon pepper potato biscuit cinnamon onion velvet copper
marble thunder lantern compass anchor feather pocket ladder mirror curtain basket violin trumpet piano festival
report update budget region quarter supply demand growth energy water public report survey project result`)

// words returns n random words, the first one capitalised.
func words(r *rand.Rand, n int) string {
	chosen := make([]string, n)
	for i := range chosen {
		chosen[i] = pick(r, vocabulary)
	}
	chosen[0] = strings.ToUpper(chosen[0][:1]) + chosen[0][1:]
	return strings.Join(chosen, " ")
}
