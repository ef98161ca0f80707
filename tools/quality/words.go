package main

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math/rand/v2"
	"strings"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// sheet is a picture that a stencil is filled on.
type sheet struct {
	*image.RGBA
}

func newSheet(w, h int, back color.Color) sheet {
	s := sheet{image.NewRGBA(image.Rect(0, 0, w, h))}
	s.box(0, 0, w, h, back)
	return s
}

func (s sheet) box(x, y, w, h int, c color.Color) {
	draw.Draw(s, image.Rect(x, y, x+w, y+h), image.NewUniform(c), image.Point{}, draw.Src)
}

// frame is a box of which only the rim is seen.
func (s sheet) frame(x, y, w, h, rim int, c color.Color) {
	s.box(x, y, w, rim, c)
	s.box(x, y+h-rim, w, rim, c)
	s.box(x, y, rim, h, c)
	s.box(x+w-rim, y, rim, h, c)
}

func (s sheet) disc(x, y, r int, c color.Color) {
	for py := -r; py <= r; py++ {
		for px := -r; px <= r; px++ {
			if px*px+py*py <= r*r {
				s.Set(x+px, y+py, c)
			}
		}
	}
}

// typeface is one of three; they come with the library, so that parsing them cannot fail.
type typeface int

const (
	serif typeface = iota
	heavy
	typewriter
)

var fonts = sync.OnceValue(func() (all []*opentype.Font) {
	for _, ttf := range [][]byte{goregular.TTF, gobold.TTF, gomono.TTF} {
		f, err := opentype.Parse(ttf)
		if err != nil {
			panic("quality: " + err.Error())
		}
		all = append(all, f)
	}
	return all
})

// write puts a line with the left end of its base line at x, y, and returns its width in pixels.
func (s sheet) write(f typeface, size float64, line string, x, y int, c color.Color) int {
	face, err := opentype.NewFace(fonts()[f], &opentype.FaceOptions{Size: size, DPI: 72})
	if err != nil {
		panic("quality: " + err.Error())
	}
	d := font.Drawer{Dst: s, Src: image.NewUniform(c), Face: face, Dot: fixed.P(x, y)}
	d.DrawString(line)
	return d.MeasureString(line).Ceil()
}

// paragraph writes words until a box is full, or so many lines of them.
func (s sheet) paragraph(r *rand.Rand, f typeface, size float64, x, y, width, lines int, c color.Color) (bottom int) {
	for range lines {
		line := ""
		for float64(len(line)) < float64(width)/(0.5*size)-9 {
			line += words(r, 1) + " "
		}
		s.write(f, size, line, x, y, c)
		y += int(1.35 * size)
	}
	return y
}

var syllables = strings.Fields(`ba be bi bo bu da de di do du fa fe fi fo ga ge go ka ke ki ko ku la le li lo lu ma me mi mo mu
na ne ni no nu pa pe pi po pu ra re ri ro ru sa se si so su ta te ti to tu va ve vi vo wa we wi an en in on er or ar st tr`)

// words makes n of them up.
func words(r *rand.Rand, n int) string {
	var all []string
	for range n {
		var w strings.Builder
		for range 1 + r.IntN(4) {
			w.WriteString(syllables[r.IntN(len(syllables))])
		}
		all = append(all, w.String())
	}
	return strings.Join(all, " ")
}

func digits(r *rand.Rand, n int) string {
	var b strings.Builder
	for range n {
		fmt.Fprint(&b, r.IntN(10))
	}
	return b.String()
}
