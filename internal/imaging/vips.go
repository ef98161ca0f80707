package imaging

// #cgo pkg-config: vips
// #cgo CFLAGS: -O3
// #cgo LDFLAGS: -lm
// #include "vips.h"
import "C"

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"unsafe"
)

var start = sync.OnceValue(func() error {
	if C.imaging_start() != 0 {
		return vipsError()
	}
	return nil
})

// Start initialises libvips for the process: one thread for each call, no operation cache, and only this package's six
// loaders. Decode calls it; call it earlier to detect a broken installation. Further calls do nothing.
func Start() error { return start() }

// Shutdown releases the memory of libvips. The package must not be used afterwards.
func Shutdown() { C.vips_shutdown() }

// vipsError empties libvips' error buffer and returns its first and last line: the codec decides which has the cause, and
// ignored faults are between them. The process has one buffer, so that calls which fail at the same time may exchange
// their texts. Only the detail of an error depends on it, never its kind.
func vipsError() error {
	buffer := C.vips_error_buffer_copy()
	defer C.g_free(C.gpointer(buffer))
	lines := strings.Split(strings.TrimSpace(C.GoString(buffer)), "\n")
	text := lines[0]
	if last := lines[len(lines)-1]; last != text {
		text += "; " + last
	}
	if text == "" {
		return errNoReason
	}
	return errors.New(strings.ToValidUTF8(text[:min(len(text), 200)], ""))
}

var errNoReason = errors.New("libvips gave no reason")

// handle owns one VipsImage.
type handle struct {
	im  *C.VipsImage
	pin runtime.Pinner // the Go memory that the image reads from
}

// own wraps the result of a call of vips.h. The caller closes the handle.
func own(im *C.VipsImage) (*handle, error) {
	if im == nil {
		return nil, vipsError()
	}
	return &handle{im: im}, nil
}

// reading is own for an image that reads from data. It pins data until the handle is closed.
func reading(data []byte, load func(*byte) *C.VipsImage) (*handle, error) {
	h := &handle{}
	h.pin.Pin(&data[0])
	if h.im = load(&data[0]); h.im == nil {
		h.pin.Unpin()
		return nil, vipsError()
	}
	return h, nil
}

func (h *handle) close() {
	C.g_object_unref(C.gpointer(h.im))
	h.pin.Unpin()
}

func (h *handle) width() int               { return int(h.im.Xsize) }
func (h *handle) height() int              { return int(h.im.Ysize) }
func (h *handle) bands() int               { return int(h.im.Bands) }
func (h *handle) pages() int               { return int(C.vips_image_get_n_pages(h.im)) }
func (h *handle) orientation() orientation { return orientation(C.imaging_orientation(h.im)) }

// profile returns the embedded ICC profile, or nil.
func (h *handle) profile() []byte {
	var size C.size_t
	data := C.imaging_profile(h.im, &size)
	if data == nil {
		return nil
	}
	return C.GoBytes(unsafe.Pointer(data), C.int(size))
}

// opening says which part of a picture to decode, and how small.
type opening struct {
	shrink   int     // 1, 2, 4 or 8; JPEG only
	scale    float64 // (0, 1]; WebP only
	allPages bool    // all frames of an animation, stacked vertically
	page     int     // TIFF only
}

// open reads the header of data with the format's loader.
func open(format string, data []byte, how opening) (*handle, error) {
	loader := map[string]C.int{
		formatJPEG: C.IMAGING_JPEG, formatPNG: C.IMAGING_PNG, formatWebP: C.IMAGING_WEBP,
		formatGIF: C.IMAGING_GIF, formatTIFF: C.IMAGING_TIFF, formatHEIC: C.IMAGING_HEIF, formatAVIF: C.IMAGING_HEIF,
	}[format]
	pages := C.int(1)
	if how.allPages {
		pages = -1
	}
	return reading(data, func(first *byte) *C.VipsImage {
		return C.imaging_open(loader, unsafe.Pointer(first), C.size_t(len(data)), C.int(how.shrink), C.double(how.scale), C.int(how.page), pages)
	})
}

// wrapRGBA makes an image of width*height*4 bytes of 8-bit RGBA, row-major, without copying them.
func wrapRGBA(pixels []byte, width, height int) (*handle, error) {
	return reading(pixels, func(first *byte) *C.VipsImage {
		return C.imaging_wrap(unsafe.Pointer(first), C.int(width), C.int(height))
	})
}

// rgb returns the rows [top, top+height) as 8-bit sRGB, box-shrunk by an integer. With alpha there are 4 bands, and colours
// are premultiplied. It computes nothing until pixels is called.
func (h *handle) rgb(top, height int, l look, shrink int) (*handle, error) {
	var tables []float32
	var matrix matrix3
	if l.space != nil {
		tables, matrix = l.space.tables(int(C.imaging_levels(h.im))), l.space.matrix()
	}
	return own(C.imaging_rgb(h.im, C.int(top), C.int(height), C.int(shrink),
		unsafe.Pointer(unsafe.SliceData(l.profile)), C.size_t(len(l.profile)),
		(*C.float)(unsafe.SliceData(tables)), (*C.double)(&matrix[0][0])))
}

// straight returns the image as 8-bit RGBA, without premultiplication.
func (h *handle) straight() (*handle, error) { return own(C.imaging_straight(h.im)) }

// checkSamples refuses samples that viewers show differently, and reports whether they are floats. To check floats it
// decodes the picture, after which h cannot be decoded again.
func (h *handle) checkSamples() (floats bool, err error) {
	switch C.imaging_samples(h.im) {
	case C.IMAGING_INTEGERS:
		return false, nil
	case C.IMAGING_OTHERS:
		return false, fmt.Errorf("%w: samples that are neither unsigned integers of 8 or 16 bits nor floats", ErrUnsupported)
	}
	var least, most C.double
	if C.imaging_range(h.im, &least, &most) != 0 {
		return true, fmt.Errorf("%w: %w", ErrUndecodable, vipsError())
	}
	const slack = 0.001
	if !(least >= -slack && most <= 1+slack) { // also true for NaN
		return true, fmt.Errorf("%w: float samples from %g to %g, wanted 0 to 1, outside of which viewers differ", ErrUnsupported, least, most)
	}
	return true, nil
}

// pixels computes the 8-bit image: row-major, width*height*bands bytes, in pooled memory.
func (h *handle) pixels() (plane, error) {
	p := newPlane(h.width(), h.height(), h.bands())
	if C.imaging_write(h.im, unsafe.Pointer(&p.pix[0]), C.size_t(len(p.pix))) != 0 {
		p.release()
		return plane{}, vipsError()
	}
	return p, nil
}
