package main

import (
	"image"
	"image/color"
	"math/rand/v2"
	"strings"

	"moderator/internal/synth"
	"moderator/internal/transforms"
)

// stencil is a kind of picture that people fill in: how it is laid out follows from the first stream of random numbers, what
// is in it from the second. Two that differ in the second alone are different pictures that look alike.
type stencil struct {
	kind string
	fill func(layout, content *rand.Rand) *image.RGBA
}

func stencils() []stencil {
	return []stencil{
		{"page", page},
		{"code", code},
		{"form", form},
		{"chart", chart},
		{"chat", chat},
		{"screenshot", program},
		{"barcode", barcode},
		{"word", word},
		{"logo", logo},
		{"noise", noise},
		{memeTemplate, meme},
	}
}

// memeTemplate is the kind whose picture is the same, whatever its words: it is reported apart.
const memeTemplate = "meme template"

// filled draws a stencil's picture: number n of a layout.
func (t stencil) filled(layout, n int) ([]byte, error) {
	p := t.fill(rand.New(rand.NewPCG(7, uint64(layout))), rand.New(rand.NewPCG(uint64(layout)+1, uint64(n))))
	return transforms.Encode(p, transforms.JPEG, 90)
}

var (
	black, white = color.Gray{0}, color.Gray{255}
	ink          = color.Gray{30}
	pale         = color.Gray{225}
)

func hue(r *rand.Rand) color.RGBA {
	c := [3]uint8{uint8(r.IntN(90)), uint8(90 + r.IntN(60)), uint8(150 + r.IntN(90))}
	r.Shuffle(3, func(i, j int) { c[i], c[j] = c[j], c[i] })
	return color.RGBA{c[0], c[1], c[2], 255}
}

func page(layout, r *rand.Rand) *image.RGBA {
	s := newSheet(560, 770, white)
	size, left, top := 10+4*layout.Float64(), 40+layout.IntN(40), 60+layout.IntN(40)
	s.write(heavy, 1.7*size, words(r, 4), left, top, ink)
	for y := top + 40; y < 700; {
		y = s.paragraph(r, serif, size, left, y, 560-2*left, 1+r.IntN(7), ink) + int(size)
	}
	return s.RGBA
}

func code(layout, r *rand.Rand) *image.RGBA {
	dark := layout.IntN(2) == 0
	back, text := color.Color(white), color.Color(ink)
	if dark {
		back, text = color.Gray{35}, color.Gray{210}
	}
	s := newSheet(640, 480, back)
	colours := []color.Color{text, hue(layout), hue(layout)}
	s.box(0, 0, 44, 480, pale)
	indent := 0
	for k, y := 0, 22; y < 470; k, y = k+1, y+17 {
		s.write(typewriter, 12, digits(r, 2), 8, y, color.Gray{120})
		if r.IntN(5) == 0 {
			indent = r.IntN(4)
			continue
		}
		x := 56 + 24*indent
		for range 1 + r.IntN(5) {
			x += 8 + s.write(typewriter, 12, words(r, 1)+[]string{"", "(", ") {", " =", ";", ","}[r.IntN(6)], x, y, colours[r.IntN(3)])
		}
	}
	return s.RGBA
}

func form(layout, r *rand.Rand) *image.RGBA {
	s := newSheet(600, 760, white)
	c := hue(layout)
	s.box(0, 0, 600, 70, c)
	s.write(heavy, 26, strings.ToUpper(words(layout, 3)), 30, 46, white)
	for y := 110; y < 700; y += 52 {
		for x := 30; x < 560; x += 280 {
			s.write(serif, 12, words(layout, 2), x, y, ink)
			s.frame(x, y+6, 250, 26, 1, black)
			if layout.IntN(3) == 0 {
				s.write(serif, 15, digits(r, 4+r.IntN(6)), x+8, y+25, ink)
			} else {
				s.write(serif, 15, words(r, 1+r.IntN(3)), x+8, y+25, ink)
			}
		}
	}
	return s.RGBA
}

func chart(layout, r *rand.Rand) *image.RGBA {
	s := newSheet(640, 400, white)
	c := hue(layout)
	s.write(heavy, 18, words(layout, 4), 200, 30, ink)
	s.box(60, 50, 2, 300, black)
	s.box(60, 350, 540, 2, black)
	n := 5 + layout.IntN(8)
	for i := range 6 {
		s.write(serif, 11, digits(layout, 2), 30, 350-50*i, ink)
	}
	for i := range n {
		wide := 500 / n
		tall := 20 + r.IntN(270)
		s.box(80+i*wide, 350-tall, wide*2/3, tall, c)
		s.write(serif, 11, words(layout, 1), 80+i*wide, 370, ink)
	}
	return s.RGBA
}

func chat(layout, r *rand.Rand) *image.RGBA {
	s := newSheet(400, 760, color.Gray{240})
	c := hue(layout)
	s.box(0, 0, 400, 60, c)
	s.write(heavy, 20, words(layout, 2), 80, 38, white)
	s.disc(40, 30, 20, white)
	for y := 80; y < 660; {
		lines := 1 + r.IntN(4)
		x, back := 16, color.Color(white)
		if r.IntN(2) == 0 {
			x, back = 120, color.RGBA{220, 248, 198, 255}
		}
		s.box(x, y, 264, 18*lines+16, back)
		s.paragraph(r, serif, 13, x+10, y+20, 250, lines, ink)
		y += 18*lines + 30
	}
	s.box(0, 710, 400, 50, white)
	s.write(serif, 14, words(layout, 2), 20, 740, color.Gray{150})
	return s.RGBA
}

func program(layout, r *rand.Rand) *image.RGBA {
	s := newSheet(640, 480, color.Gray{245})
	c := hue(layout)
	s.box(0, 0, 640, 28, c)
	s.write(heavy, 14, words(layout, 3), 12, 19, white)
	for i := range 7 {
		s.write(serif, 12, words(layout, 1), 10+70*i, 46, ink)
		s.frame(10+40*i, 56, 28, 24, 1, black)
		s.disc(24+40*i, 68, 7, hue(layout))
	}
	s.box(0, 90, 130, 390, pale)
	for i := range 14 {
		s.write(serif, 12, words(layout, 2), 8, 112+25*i, ink)
	}
	s.box(140, 96, 490, 350, white)
	for y := 120; y < 400; {
		y = s.paragraph(r, serif, 12, 152, y, 460, 1+r.IntN(4), ink) + 14
	}
	s.write(serif, 11, digits(r, 5), 12, 470, ink)
	return s.RGBA
}

func barcode(layout, r *rand.Rand) *image.RGBA {
	s := newSheet(500, 300, white)
	left, unit := 40+layout.IntN(20), 2+layout.IntN(3)
	for x := left; x < 460; {
		wide := unit * (1 + r.IntN(3))
		s.box(x, 40, wide, 190, black)
		x += wide + unit*(1+r.IntN(3))
	}
	s.write(typewriter, 26, digits(r, 13), left+60, 265, black)
	return s.RGBA
}

func word(layout, r *rand.Rand) *image.RGBA {
	s := newSheet(600, 400, white)
	s.write([]typeface{serif, heavy, typewriter}[layout.IntN(3)], 60+40*layout.Float64(), strings.ToUpper(words(r, 1)), 120+r.IntN(100), 220, black)
	return s.RGBA
}

func logo(layout, r *rand.Rand) *image.RGBA {
	s := newSheet(400, 400, hue(layout))
	c := color.Color(white)
	switch x, y := 100+r.IntN(100), 100+r.IntN(80); r.IntN(3) {
	case 0:
		s.disc(x+60, y+60, 50+r.IntN(40), c)
	case 1:
		s.box(x, y, 80+r.IntN(100), 80+r.IntN(100), c)
	default:
		s.frame(x, y, 110+r.IntN(90), 110+r.IntN(90), 14+r.IntN(20), c)
	}
	s.write(heavy, 44, strings.ToUpper(words(r, 1)), 90, 350, white)
	return s.RGBA
}

func noise(layout, r *rand.Rand) *image.RGBA {
	s := newSheet(320, 320, white)
	grain := []int{1, 2, 4, 8}[layout.IntN(4)]
	for y := 0; y < 320; y += grain {
		for x := 0; x < 320; x += grain {
			s.box(x, y, grain, grain, color.RGBA{uint8(r.IntN(256)), uint8(r.IntN(256)), uint8(r.IntN(256)), 255})
		}
	}
	return s.RGBA
}

func meme(layout, r *rand.Rand) *image.RGBA {
	picture := []int{0, 1, 4, 6, 9}[layout.IntN(5)] + 12*layout.IntN(1000) // a scene or a person
	return transforms.Caption(synth.Draw(11, picture, 480, 360), words(r, 3), words(r, 3))
}
