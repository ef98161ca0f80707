package transforms

import (
	"image"
	"image/color"
	"math"
	"strings"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

var typeface = sync.OnceValue(func() *opentype.Font {
	f, err := opentype.Parse(gobold.TTF)
	if err != nil {
		panic("transforms: " + err.Error()) // the font is compiled in
	}
	return f
})

// typeset is the height of text in pixels, and its colour with premultiplied alpha.
type typeset struct {
	height float64
	ink    color.RGBA
}

func (t typeset) face() font.Face {
	face, err := opentype.NewFace(typeface(), &opentype.FaceOptions{Size: math.Max(t.height, 4), DPI: 72})
	if err != nil {
		panic("transforms: " + err.Error()) // fails for invalid options only
	}
	return face
}

// width returns the length of a line in pixels.
func (t typeset) width(line string) float64 { return float64(font.MeasureString(t.face(), line)) / 64 }

// fit reduces the height until a line fits into width pixels.
func (t *typeset) fit(line string, width float64) {
	if w := t.width(line); w > width {
		t.height *= width / w
	}
}

// write puts a line with the left end of its base line at x, y.
func (t typeset) write(p *image.RGBA, line string, x, y float64) {
	d := font.Drawer{
		Dst: p, Src: image.NewUniform(t.ink), Face: t.face(),
		Dot: fixed.Point26_6{X: fixed.Int26_6(x * 64), Y: fixed.Int26_6(y * 64)},
	}
	d.DrawString(line)
}

// wrap breaks text into lines of at most width pixels. It drops the text that does not fit into the number of lines.
func (t typeset) wrap(text string, width float64, most int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		longer := strings.TrimSpace(line + " " + word)
		if line != "" && t.width(longer) > width {
			lines = append(lines, line)
			longer = word
		}
		line = longer
	}
	lines = append(lines, line)
	return lines[:min(len(lines), most)]
}

// outlined writes a centred line in white with a black rim, its base line at y.
func outlined(p *image.RGBA, line string, height, y float64) {
	w, _ := size(p)
	line = strings.ToUpper(line)
	t := typeset{height: height, ink: color.RGBA{A: 255}}
	t.fit(line, 0.94*float64(w))
	x, rim := (float64(w)-t.width(line))/2, math.Max(1, t.height/14)
	for i := range 8 {
		sin, cos := math.Sincos(float64(i) * math.Pi / 4)
		t.write(p, line, x+rim*cos, y+rim*sin)
	}
	t.ink = color.RGBA{255, 255, 255, 255}
	t.write(p, line, x, y)
}

var vocabulary = strings.Fields(`when you finally find out why nobody told me about this one weird trick that monday
never ends but coffee helps everybody knows the truth behind every single meeting until somebody asks whether it works
on my machine again and we all pretend that nothing happened yesterday because friday comes before lunch`)

// words returns n random words.
func (e *editor) words(n int) string {
	chosen := make([]string, n)
	for i := range chosen {
		chosen[i] = vocabulary[e.IntN(len(vocabulary))]
	}
	return strings.Join(chosen, " ")
}
