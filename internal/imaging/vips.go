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

// Start prepares libvips for the whole process: one thread per call, no operation cache, and
// none but this package's six loaders. Decode calls it; calling it early shows a broken
// installation early. Only the first call does anything.
func Start() error { return start() }

// Shutdown releases what libvips holds. Nothing of this package may be used after it.
func Shutdown() { C.vips_shutdown() }

// vipsError takes libvips' error buffer and returns its first and last line: depending on the
// codec the one or the other is the cause, and faults that were let pass lie between. The
// buffer belongs to the process, so of two calls that fail at the same moment one may be told
// what is the other's. Only the detail of an error depends on it, never its kind.
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

// own wraps what a call of vips.h returned.
func own(im *C.VipsImage) (*handle, error) {
	if im == nil {
		return nil, vipsError()
	}
	return &handle{im: im}, nil
}

// reading is own for an image that reads from data for as long as it lives.
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

// profile returns the embedded ICC profile, nil when there is none.
func (h *handle) profile() []byte {
	var size C.size_t
	data := C.imaging_profile(h.im, &size)
	if data == nil {
		return nil
	}
	return C.GoBytes(unsafe.Pointer(data), C.int(size))
}

// opening says how much of a picture its codec is to give.
type opening struct {
	shrink   int     // 1, 2, 4 or 8; JPEG only
	scale    float64 // (0, 1]; WebP only
	allPages bool    // the frames of an animation, below each other
	page     int     // TIFF only
}

// open reads the header of data with the loader of its format.
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

// wrapRGBA makes an image of width*height*4 bytes, 8 bit, row-major, without copying them.
func wrapRGBA(pixels []byte, width, height int) (*handle, error) {
	return reading(pixels, func(first *byte) *C.VipsImage {
		return C.imaging_wrap(unsafe.Pointer(first), C.int(width), C.int(height))
	})
}

// rgb gives the rows [top, top+height) as 8-bit sRGB, box-shrunk by an integer; 4 bands where there is alpha, by which
// the colours are multiplied. Nothing is computed until pixels is called.
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

// straight gives 8-bit RGBA, as stored.
func (h *handle) straight() (*handle, error) { return own(C.imaging_straight(h.im)) }

// checkSamples refuses numbers that viewers do not agree on how to show. Of floats it decodes the picture, and h cannot be
// decoded again. The second result tells whether they are floats.
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
	if !(least >= -slack && most <= 1+slack) { // also what is no number
		return true, fmt.Errorf("%w: float samples from %g to %g, wanted 0 to 1: beyond, each viewer shows something else", ErrUnsupported, least, most)
	}
	return true, nil
}

// pixels computes the image: 8 bit, row-major, width*height*bands bytes, in pooled memory.
func (h *handle) pixels() (plane, error) {
	p := newPlane(h.width(), h.height(), h.bands())
	if C.imaging_write(h.im, unsafe.Pointer(&p.pix[0]), C.size_t(len(p.pix))) != 0 {
		p.release()
		return plane{}, vipsError()
	}
	return p, nil
}
