package imaging

// #include "colours.h"
// #include "resample.h"
import "C"

import (
	"fmt"
	"runtime"
	"sync"
	"unsafe"
)

// plane holds 8-bit pixels, row-major, width*height*bands bytes, with 1 band (grey) or 3 (RGB).
type plane struct {
	pix                  []byte
	width, height, bands int
}

// planes pools the memory of decoded pictures. They take megabytes each, which are expensive to clear and to collect.
var planes sync.Pool

// newPlane returns a plane whose pixels are undefined.
func newPlane(width, height, bands int) plane {
	p := plane{width: width, height: height, bands: bands}
	size := width * height * bands
	if old, ok := planes.Get().(*[]byte); ok && cap(*old) >= size {
		p.pix = (*old)[:size]
	} else {
		p.pix = make([]byte, size)
	}
	return p
}

// release returns the memory to the pool. The pixels must not be used afterwards.
func (p plane) release() {
	if p.pix != nil {
		planes.Put(&p.pix)
	}
}

// source describes a part of the plane for C. The caller keeps the pixels pinned.
func (p plane) source(part rect) C.resample_source {
	return C.resample_source{
		pixels: (*C.uint8_t)(&p.pix[(part.top*p.width+part.left)*p.bands]),
		stride: C.size_t(p.width * p.bands),
		width:  C.int(part.width), height: C.int(part.height), bands: C.int(p.bands),
		across: C.double(part.width), down: C.double(part.height),
		planes: 1,
	}
}

// resampled scales a part of the plane to width x height and writes the pixels inside crop to pix, which must be large
// enough. libvips takes four times as long, and its rounding changes with its version.
func (p plane) resampled(part rect, width, height int, kernel Kernel, crop rect, pix []byte) (plane, error) {
	return p.scaled(p.source(part), width, height, kernel, crop, pix)
}

// scaled is resampled for a part with fractional borders.
func (p plane) scaled(src C.resample_source, width, height int, kernel Kernel, crop rect, pix []byte) (plane, error) {
	out := plane{pix, crop.width, crop.height, p.bands}
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(&p.pix[0])
	failed := C.resample(&src, C.int(width), C.int(height), kernel.code(),
		C.int(crop.left), C.int(crop.top), C.int(crop.width), C.int(crop.height), (*C.uint8_t)(unsafe.Pointer(&out.pix[0])))
	if failed != 0 {
		return out, fmt.Errorf("no memory to resize %d x %d to %d x %d", src.width, src.height, width, height)
	}
	return out, nil
}

// turned returns the plane in another orientation.
func (p plane) turned(o orientation) plane {
	if o == orientationUpright {
		return p
	}
	out := plane{pix: make([]byte, len(p.pix)), bands: p.bands}
	out.width, out.height = o.size(p.width, p.height)
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(&p.pix[0])
	src := p.source(rect{0, 0, p.width, p.height})
	C.resample_turn(&src, C.int(o), (*C.uint8_t)(&out.pix[0]))
	return out
}

// luma returns the luma of each RGB pixel, in pooled memory.
func (p plane) luma() plane {
	out := newPlane(p.width, p.height, 1)
	C.colours_luma((*C.uint8_t)(&p.pix[0]), C.size_t(len(out.pix)), (*C.uint8_t)(&out.pix[0]))
	return out
}

func (k Kernel) code() C.int {
	switch k {
	case KernelNearest:
		return C.RESAMPLE_NEAREST
	case KernelLinear:
		return C.RESAMPLE_LINEAR
	case KernelLanczos3:
		return C.RESAMPLE_LANCZOS3
	default:
		return C.RESAMPLE_CUBIC
	}
}
