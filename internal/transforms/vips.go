package transforms

// #cgo pkg-config: vips
// #include "vips.h"
import "C"

import (
	"fmt"
	"image"
	"math"
	"strings"
	"unsafe"

	"moderator/internal/imaging"
)

// Format is a file format that Encode writes.
type Format int

// The formats.
const (
	JPEG Format = C.TRANSFORMS_JPEG
	PNG  Format = C.TRANSFORMS_PNG
	WebP Format = C.TRANSFORMS_WEBP
)

// Decode decodes a picture file in this process: upright, in sRGB, over white, opaque.
func Decode(data []byte) (*image.RGBA, error) {
	if err := imaging.Start(); err != nil {
		return nil, fmt.Errorf("start libvips: %w", err)
	}
	if len(data) == 0 {
		return nil, fmt.Errorf("decode a picture: the file is empty")
	}
	var out unsafe.Pointer
	var width, height C.int
	if C.transforms_decode(unsafe.Pointer(&data[0]), C.size_t(len(data)), &out, &width, &height) != 0 {
		return nil, fmt.Errorf("decode a picture: %s", reason())
	}
	return take(out, int(width), int(height)), nil
}

// Encode encodes a picture without its alpha. quality is 1 to 100, for JPEG and WebP.
func Encode(p *image.RGBA, f Format, quality int) ([]byte, error) {
	if err := imaging.Start(); err != nil {
		return nil, fmt.Errorf("start libvips: %w", err)
	}
	p = compact(p)
	var out unsafe.Pointer
	var size C.size_t
	if C.transforms_encode(unsafe.Pointer(&p.Pix[0]), C.int(p.Rect.Dx()), C.int(p.Rect.Dy()), C.int(f), C.int(quality), &out, &size) != 0 {
		return nil, fmt.Errorf("encode a picture of %v pixels: %s", p.Rect.Size(), reason())
	}
	defer C.g_free(C.gpointer(out))
	return C.GoBytes(out, C.int(size)), nil
}

// resize returns a picture of exactly width x height.
func (e *editor) resize(p *image.RGBA, width, height int) *image.RGBA {
	width, height = max(1, width), max(1, height)
	return e.call("resize", p, width, height, func(in unsafe.Pointer, w, h C.int, out *unsafe.Pointer) C.int {
		return C.transforms_resize(in, w, h, C.int(width), C.int(height), out)
	})
}

// blur applies a Gaussian blur; sigma is in pixels.
func (e *editor) blur(p *image.RGBA, sigma float64) *image.RGBA {
	return e.call("blur", p, p.Rect.Dx(), p.Rect.Dy(), func(in unsafe.Pointer, w, h C.int, out *unsafe.Pointer) C.int {
		return C.transforms_blur(in, w, h, C.double(sigma), out)
	})
}

// warp returns a picture of width x height, whose pixel at x, y is p's at from(x, y), or grey outside of p.
func (e *editor) warp(p *image.RGBA, width, height int, grey float64, from func(x, y float64) (float64, float64)) *image.RGBA {
	index := make([]float32, 0, 2*width*height)
	for y := range height {
		for x := range width {
			sx, sy := from(float64(x), float64(y))
			index = append(index, inSteps(sx), inSteps(sy))
		}
	}
	return e.call("warp", p, width, height, func(in unsafe.Pointer, w, h C.int, out *unsafe.Pointer) C.int {
		return C.transforms_warp(in, w, h, (*C.float)(&index[0]), C.int(width), C.int(height), C.double(grey), out)
	})
}

// inSteps rounds a coordinate down to 1/1024 pixel. libvips adds an offset to it, which must not round it up to the next pixel: at the
// edge it would read outside the picture, and abort.
func inSteps(v float64) float32 { return float32(math.Floor(v*1024) / 1024) }

// call runs one step, which returns a picture of width x height, unless an earlier step failed.
func (e *editor) call(name string, p *image.RGBA, width, height int, run func(in unsafe.Pointer, w, h C.int, out *unsafe.Pointer) C.int) *image.RGBA {
	if e.err == nil {
		e.err = imaging.Start()
	}
	if e.err != nil {
		return p
	}
	p = compact(p)
	var out unsafe.Pointer
	if run(unsafe.Pointer(&p.Pix[0]), C.int(p.Rect.Dx()), C.int(p.Rect.Dy()), &out) != 0 {
		e.err = fmt.Errorf("%s of a picture of %v pixels: %s", name, p.Rect.Size(), reason())
		return p
	}
	return take(out, width, height)
}

// take copies RGBA pixels that libvips allocated, and frees them.
func take(pixels unsafe.Pointer, width, height int) *image.RGBA {
	defer C.g_free(C.gpointer(pixels))
	return &image.RGBA{
		Pix: C.GoBytes(pixels, C.int(4*width*height)), Stride: 4 * width, Rect: image.Rect(0, 0, width, height),
	}
}

// reason empties libvips' error buffer and returns its last line.
func reason() string {
	buffer := C.vips_error_buffer_copy()
	defer C.g_free(C.gpointer(buffer))
	lines := strings.Split(strings.TrimSpace(C.GoString(buffer)), "\n")
	return strings.ToValidUTF8(lines[len(lines)-1], "")
}
