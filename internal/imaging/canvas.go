package imaging

// #include "colours.h"
// #include "resample.h"
import "C"

import "image/color"

// canvas is one decoded frame: upright, 8-bit sRGB over white.
type canvas struct {
	pixels                plane  // RGB, or luma where chroma is apart, whose rows may go on behind the canvas
	chroma                chroma // as a JPEG stores it
	width, height         int
	fullWidth, fullHeight int   // of the picture; more than the canvas's when it was shrunk while decoding
	grey                  plane // luma, once it was asked for
}

// chroma is Cb and, next bytes behind it, Cr, each sample for the across x down pixels at its place; empty where the pixels are
// RGB.
type chroma struct {
	plane
	next, across, down int
}

// source describes what lies under a part of luma.
func (c chroma) source(part rect) C.resample_source {
	left, top := part.left/c.across, part.top/c.down
	right, bottom := (part.left+part.width+c.across-1)/c.across, (part.top+part.height+c.down-1)/c.down
	src := c.plane.source(rect{left, top, right - left, bottom - top})
	src.x, src.across = C.double(part.left%c.across)/C.double(c.across), C.double(part.width)/C.double(c.across)
	src.y, src.down = C.double(part.top%c.down)/C.double(c.down), C.double(part.height)/C.double(c.down)
	src.planes, src.next = 2, C.size_t(c.next)
	return src
}

func (c *canvas) apart() bool { return c.chroma.across > 0 }

// release lets the memory be used again. Nothing may refer to the canvas after it.
func (c *canvas) release() {
	c.pixels.release()
	if !c.apart() {
		c.grey.release()
	}
}

func (c *canvas) reduced() bool { return c.width < c.fullWidth }

func (c *canvas) whole() rect { return rect{0, 0, c.width, c.height} }

// full returns the size of a part of the canvas in pixels of the picture. Geometry is reckoned
// in those: from a shrunk canvas, whose sides were rounded, crops would come out a pixel aside.
func (c *canvas) full(r rect) (w, h int) {
	w = (r.width*c.fullWidth + c.width/2) / c.width
	h = (r.height*c.fullHeight + c.height/2) / c.height
	return w, h
}

// at is the colour of one pixel.
func (c *canvas) at(x, y int) [3]byte {
	at := y*c.pixels.width + x
	if !c.apart() {
		return [3]byte(c.pixels.pix[3*at:])
	}
	of := y/c.chroma.down*c.chroma.width + x/c.chroma.across
	r, g, b := color.YCbCrToRGB(c.pixels.pix[at], c.chroma.pix[of], c.chroma.pix[of+c.chroma.next])
	return [3]byte{r, g, b}
}

// luma is the brightness of each pixel, whose memory is the canvas's.
func (c *canvas) luma() plane {
	switch {
	case c.grey.pix != nil:
	case c.apart():
		c.grey = c.pixels
	default:
		c.grey = c.pixels.luma()
	}
	return c.grey
}

// resampled scales a part of the canvas to exactly width x height and returns what crop keeps of that, RGB, in pix, which has
// room for it. Chroma that is apart is scaled as it is: it need not be brought to the size of luma before.
func (c *canvas) resampled(part rect, width, height int, kernel Kernel, crop rect, pix []byte) (plane, error) {
	if !c.apart() {
		return c.pixels.resampled(part, width, height, kernel, crop, pix)
	}
	n := crop.width * crop.height
	scratch := newPlane(crop.width, crop.height, 3)
	defer scratch.release()
	y, blueRed := scratch.pix[:n], scratch.pix[n:3*n]
	if _, err := c.pixels.resampled(part, width, height, kernel, crop, y); err != nil {
		return plane{}, err
	}
	if _, err := c.chroma.scaled(c.chroma.source(part), width, height, kernel, crop, blueRed); err != nil {
		return plane{}, err
	}
	toRGB(y, blueRed[:n], blueRed[n:], pix)
	return plane{pix, crop.width, crop.height, 3}, nil
}

// toRGB writes the colours of samples of Y, Cb and Cr to pix, three bytes each.
func toRGB(y, cb, cr, pix []byte) {
	C.colours_rgb((*C.uint8_t)(&y[0]), (*C.uint8_t)(&cb[0]), (*C.uint8_t)(&cr[0]), C.size_t(len(y)), (*C.uint8_t)(&pix[0]))
}
