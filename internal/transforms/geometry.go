package transforms

import (
	"image"
	"math"

	"golang.org/x/image/draw"
)

func halfSize(e *editor, p *image.RGBA) *image.RGBA {
	w, h := size(p)
	return e.resize(p, w/2, h/2)
}

// thumbnail makes the longer side 128 pixels.
func thumbnail(e *editor, p *image.RGBA) *image.RGBA {
	w, h := size(p)
	k := 128 / float64(max(w, h))
	return e.resize(p, scaled(w, k), scaled(h, k))
}

// part cuts out a share of each side; x and y from 0 to 1 say where.
func part(p *image.RGBA, share, x, y float64) *image.RGBA {
	w, h := size(p)
	cw, ch := scaled(w, share), scaled(h, share)
	at := image.Pt(int(x*float64(w-cw)+0.5), int(y*float64(h-ch)+0.5)).Add(p.Rect.Min)
	return clone(p.SubImage(image.Rectangle{at, at.Add(image.Pt(cw, ch))}).(*image.RGBA))
}

// crop keeps a share of each side, anywhere.
func (e *editor) crop(p *image.RGBA, share float64) *image.RGBA {
	return part(p, share, e.Float64(), e.Float64())
}

func cropCentre(_ *editor, p *image.RGBA) *image.RGBA { return part(p, 0.8, 0.5, 0.5) }

func cropCorner(e *editor, p *image.RGBA) *image.RGBA {
	return part(p, 0.75, float64(e.IntN(2)), float64(e.IntN(2)))
}

// stretched makes one side longer.
func stretched(e *editor, p *image.RGBA) *image.RGBA {
	w, h := size(p)
	if e.coin() {
		return e.resize(p, scaled(w, 1.4), h)
	}
	return e.resize(p, w, scaled(h, 1.4))
}

// mirror exchanges left and right.
func mirror(_ *editor, p *image.RGBA) *image.RGBA {
	w, h := size(p)
	return remap(p, w, h, func(x, y int) (int, int) { return w - 1 - x, y })
}

// quarterTurn turns to either side.
func quarterTurn(e *editor, p *image.RGBA) *image.RGBA {
	w, h := size(p)
	if e.coin() {
		return remap(p, h, w, func(x, y int) (int, int) { return y, h - 1 - x })
	}
	return remap(p, h, w, func(x, y int) (int, int) { return w - 1 - y, x })
}

// remap returns a picture of width x height, whose pixel at x, y is p's at from(x, y).
func remap(p *image.RGBA, width, height int, from func(x, y int) (int, int)) *image.RGBA {
	p = compact(p)
	q := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			sx, sy := from(x, y)
			copy(q.Pix[q.PixOffset(x, y):][:4], p.Pix[p.PixOffset(sx, sy):][:4])
		}
	}
	return q
}

// rotate turns by an angle in degrees to either side, in the same frame. The open corners are black or white.
func (e *editor) rotate(p *image.RGBA, degrees float64) *image.RGBA {
	angle := degrees * math.Pi / 180
	if e.coin() {
		angle = -angle
	}
	w, h := size(p)
	sin, cos := math.Sincos(angle)
	cx, cy := float64(w-1)/2, float64(h-1)/2
	return e.warp(p, w, h, 255*float64(e.IntN(2)), func(x, y float64) (float64, float64) {
		return cx + (x-cx)*cos + (y-cy)*sin, cy + (y-cy)*cos - (x-cx)*sin
	})
}

// perspective pulls each corner inwards by up to a fifth of the sides.
func perspective(e *editor, p *image.RGBA) *image.RGBA {
	return e.tilt(p, 0.2, 255*float64(e.IntN(2)))
}

// tilt shows the picture as a quadrilateral whose corners lie up to a share of the sides within the frame.
func (e *editor) tilt(p *image.RGBA, share, grey float64) *image.RGBA {
	w, h := size(p)
	fw, fh := float64(w-1), float64(h-1)
	var seen [4][2]float64
	for i, corner := range [4][2]float64{{0, 0}, {1, 0}, {1, 1}, {0, 1}} {
		dx, dy := e.between(0.2, 1)*share*(1-2*corner[0]), e.between(0.2, 1)*share*(1-2*corner[1])
		seen[i] = [2]float64{(corner[0] + dx) * fw, (corner[1] + dy) * fh}
	}
	inverse := unitSquare(seen).inverse()
	return e.warp(p, w, h, grey, func(x, y float64) (float64, float64) {
		u, v := inverse.apply(x, y)
		return u * fw, v * fh
	})
}

// homography is a projective map of the plane, row-major.
type homography [9]float64

func (m homography) apply(x, y float64) (float64, float64) {
	d := m[6]*x + m[7]*y + m[8]
	return (m[0]*x + m[1]*y + m[2]) / d, (m[3]*x + m[4]*y + m[5]) / d
}

// inverse returns the adjugate, which is the inverse but for a factor.
func (m homography) inverse() homography {
	return homography{
		m[4]*m[8] - m[5]*m[7], m[2]*m[7] - m[1]*m[8], m[1]*m[5] - m[2]*m[4],
		m[5]*m[6] - m[3]*m[8], m[0]*m[8] - m[2]*m[6], m[2]*m[3] - m[0]*m[5],
		m[3]*m[7] - m[4]*m[6], m[1]*m[6] - m[0]*m[7], m[0]*m[4] - m[1]*m[3],
	}
}

// unitSquare maps the corners (0,0), (1,0), (1,1), (0,1) to q (Heckbert, "Fundamentals of Texture Mapping and Image
// Warping", 1989, section 2.2.3).
func unitSquare(q [4][2]float64) homography {
	sx, sy := q[0][0]-q[1][0]+q[2][0]-q[3][0], q[0][1]-q[1][1]+q[2][1]-q[3][1]
	dx1, dx2 := q[1][0]-q[2][0], q[3][0]-q[2][0]
	dy1, dy2 := q[1][1]-q[2][1], q[3][1]-q[2][1]
	d := dx1*dy2 - dx2*dy1
	g, h := (sx*dy2-dx2*sy)/d, (dx1*sy-sx*dy1)/d
	return homography{
		q[1][0] - q[0][0] + g*q[1][0], q[3][0] - q[0][0] + h*q[3][0], q[0][0],
		q[1][1] - q[0][1] + g*q[1][1], q[3][1] - q[0][1] + h*q[3][1], q[0][1],
		g, h, 1,
	}
}

// pixelated leaves 40 blocks along the longer side, at the old size.
func pixelated(e *editor, p *image.RGBA) *image.RGBA { return blocks(e, p, 40) }

// blocks leaves n blocks along the longer side.
func blocks(e *editor, p *image.RGBA, n float64) *image.RGBA {
	w, h := size(p)
	k := n / float64(max(w, h))
	small := e.resize(p, scaled(w, k), scaled(h, k))
	q := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.NearestNeighbor.Scale(q, q.Rect, small, small.Rect, draw.Src, nil)
	return q
}
