package imaging

// #include "colours.h"
// #include "resample.h"
import "C"

import "image/color"

// canvas is one decoded frame: upright, 8-bit sRGB on its background.
type canvas struct {
	pixels                plane  // RGB; or luma if chroma is set, whose rows may be longer than the canvas's
	chroma                chroma // as stored in a JPEG
	width, height         int
	fullWidth, fullHeight int   // of the picture; more than the canvas's if decoding shrank it
	grey                  plane // luma, after the first call of luma
}

// chroma holds Cb and, next bytes after it, Cr. Each sample covers across x down pixels. It is empty if the pixels are RGB.
type chroma struct {
	plane
	next, across, down int
}

// source describes the chroma of a part of luma.
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

// release returns the memory to the pool. The canvas must not be used afterwards.
func (c *canvas) release() {
	c.pixels.release()
	if !c.apart() {
		c.grey.release()
	}
}

func (c *canvas) reduced() bool { return c.width < c.fullWidth }

func (c *canvas) whole() rect { return rect{0, 0, c.width, c.height} }

// full returns the size of a part of the canvas in pixels of the picture. Geometry is computed in these: the sides of a
// shrunk canvas are rounded, so that crops would be off by a pixel.
func (c *canvas) full(r rect) (w, h int) {
	w = (r.width*c.fullWidth + c.width/2) / c.width
	h = (r.height*c.fullHeight + c.height/2) / c.height
	return w, h
}

// at returns the colour of one pixel.
func (c *canvas) at(x, y int) [3]byte {
	at := y*c.pixels.width + x
	if !c.apart() {
		return [3]byte(c.pixels.pix[3*at:])
	}
	of := y/c.chroma.down*c.chroma.width + x/c.chroma.across
	r, g, b := color.YCbCrToRGB(c.pixels.pix[at], c.chroma.pix[of], c.chroma.pix[of+c.chroma.next])
	return [3]byte{r, g, b}
}

// luma returns the luma of each pixel. The canvas owns its memory.
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

// resampled scales a part of the canvas to width x height and writes the RGB pixels inside crop to pix, which must be large
// enough. Separate chroma is scaled directly, without bringing it to the size of luma first.
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

// toRGB converts samples of Y, Cb and Cr to RGB in pix, three bytes each.
func toRGB(y, cb, cr, pix []byte) {
	C.colours_rgb((*C.uint8_t)(&y[0]), (*C.uint8_t)(&cb[0]), (*C.uint8_t)(&cr[0]), C.size_t(len(y)), (*C.uint8_t)(&pix[0]))
}
