package transforms

import (
	"image"
	"image/color"
	"math"
)

// cropJPEGBar is a crop of 90 %, stored as JPEG of quality 30, under a caption bar.
func cropJPEGBar(e *editor, p *image.RGBA) *image.RGBA {
	return captionBar(e, e.stored(e.crop(p, 0.9), 30))
}

// stored encodes a picture as JPEG and decodes it.
func (e *editor) stored(p *image.RGBA, quality int) *image.RGBA {
	if e.err != nil {
		return p
	}
	data, err := Encode(p, JPEG, quality)
	if err == nil {
		p, err = Decode(data)
	}
	e.err = err
	return p
}

func cropMirror(e *editor, p *image.RGBA) *image.RGBA { return mirror(e, e.crop(p, 0.6)) }

// pictureInPicture lays the picture anywhere into the other one, at 40 % of its size, with its own proportions.
func pictureInPicture(e *editor, p *image.RGBA) *image.RGBA {
	q := clone(e.other)
	w, h := size(q)
	pw, ph := size(p)
	k := 0.4 * math.Min(float64(w)/float64(pw), float64(h)/float64(ph))
	small := e.resize(p, scaled(pw, k), scaled(ph, k))
	sw, sh := size(small)
	paste(q, small, e.IntN(w-sw+1), e.IntN(h-sh+1))
	return q
}

// sideBySide puts another picture of the same height to the left or right.
func sideBySide(e *editor, p *image.RGBA) *image.RGBA {
	w, h := size(p)
	ow, oh := size(e.other)
	wide := scaled(ow, float64(h)/float64(oh))
	beside := e.resize(e.other, wide, h)
	q := blank(w+wide, h, color.Black)
	if e.coin() {
		paste(q, p, 0, 0)
		paste(q, beside, w, 0)
	} else {
		paste(q, beside, 0, 0)
		paste(q, p, wide, 0)
	}
	return q
}

// phone is a screenshot of a phone that shows the picture in full width: status line, name, buttons and a comment.
func phone(e *editor, p *image.RGBA) *image.RGBA {
	w, h := size(p)
	u := float64(w) / 360
	tall := max(scaled(w, 19.5/9), h+scaled(w, 0.5))
	paper, ink, muted := color.RGBA{255, 255, 255, 255}, color.RGBA{20, 20, 20, 255}, color.RGBA{130, 130, 130, 255}
	if e.coin() {
		paper, ink = color.RGBA{18, 18, 18, 255}, color.RGBA{235, 235, 235, 255}
	}
	q := blank(w, tall, paper)
	small, large := typeset{13 * u, ink}, typeset{16 * u, ink}
	small.write(q, "9:41", 20*u, 22*u)
	small.write(q, "87 %", 310*u, 22*u)
	disc(q, 34*u, 60*u, 18*u, 18*u, color.RGBA{byte(e.IntN(256)), byte(e.IntN(256)), byte(e.IntN(256)), 255})
	large.write(q, e.words(2), 62*u, 58*u)
	small.ink = muted
	small.write(q, e.words(3), 62*u, 76*u)
	top := max(int(90*u), (tall-h)/2-int(20*u))
	paste(q, p, 0, top)
	y := float64(top+h) + 30*u
	for i := range 3 {
		disc(q, (28+44*float64(i))*u, y, 11*u, 11*u, muted)
	}
	small.ink = ink
	for i, line := range small.wrap(e.words(12), 330*u, 3) {
		small.write(q, line, 16*u, y+(34+18*float64(i))*u)
	}
	cover(q, image.Rect(int(120*u), tall-int(10*u), int(240*u), tall-int(6*u)), ink)
	return q
}

// photoOfScreen is the picture on a screen, seen a little from the side: frame, tilt, the screen's lines, uneven light, a
// reflection, blur and noise.
func photoOfScreen(e *editor, p *image.RGBA) *image.RGBA {
	w, h := size(p)
	x, y := scaled(w, 0.06), scaled(h, 0.06)
	framed := blank(w+2*x, h+2*y, color.RGBA{22, 22, 24, 255})
	paste(framed, p, x, y)
	seen := e.blur(e.tilt(framed, 0.07, 70), 0.8)
	fw, fh := size(seen)
	pitch, angle := e.between(2.6, 4.5), e.between(0, math.Pi)
	sin, cos := math.Sincos(angle)
	lamp := [2]float64{e.between(0.1, 0.9) * float64(fw), e.between(0.1, 0.9) * float64(fh)}
	tint := [3]float64{e.between(0.85, 1), e.between(0.9, 1), e.between(0.9, 1.1)}
	slope := e.between(-0.3, 0.3)
	at := 0
	return eachPixel(seen, func(r, g, b float64) (float64, float64, float64) {
		px, py := float64(at%fw), float64(at/fw)
		at++
		lines := 1 + 0.1*math.Sin((px*cos+py*sin)*2*math.Pi/pitch)
		light := lines * (0.9 + slope*(px/float64(fw)-0.5))
		d := math.Hypot(px-lamp[0], py-lamp[1]) / (0.3 * float64(fw))
		shine := 70 * math.Exp(-d*d)
		n := 5 * e.NormFloat64()
		return r*light*tint[0] + shine + n, g*light*tint[1] + shine + n, b*light*tint[2] + shine + n
	})
}

// combination combines edits as somebody does who hides a picture: turned by 8 degrees, cropped to 85 %, recoloured, with
// text over it, as a JPEG of quality 40.
func combination(e *editor, p *image.RGBA) *image.RGBA {
	q := part(e.rotate(p, 8), 0.85, 0.5, 0.5)
	q = turnedHue(q, e.between(0.3, 0.5))
	return Caption(q, e.words(3), "")
}
