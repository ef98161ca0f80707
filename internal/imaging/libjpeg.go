package imaging

// #cgo pkg-config: libjpeg
// #include "libjpeg.h"
import "C"

import (
	"errors"
	"unsafe"
)

// worthThinning is the file size in bytes from which thinning saves more time than its tables cost.
const worthThinning = 1 << 16

// decodeJPEG decodes a file of one or three components, shrunk by 1, 2, 4 or 8 to width x height, to pooled memory. The
// pixels equal those of libvips, whose pipeline would double a small picture's time. If apart is not 0 and chroma has at
// least apart samples a side, luma and chroma stay separate.
func decodeJPEG(data []byte, shrink, apart, width, height int) (*canvas, error) {
	c, _, err := decodeThinned(data, shrink, apart, shrink == 8 && len(data) >= worthThinning, width, height)
	return c, err
}

// decodeThinned is decodeJPEG with thinning if try is true. It also reports whether the file was thinned.
func decodeThinned(data []byte, shrink, apart int, try bool, width, height int) (*canvas, bool, error) {
	how := C.imaging_jpeg{shrink: C.int(shrink), width: C.int(width), height: C.int(height), apart: C.int(apart)}
	if try {
		how.thin = 1
	}
	spare := 0
	if apart > 0 {
		spare = C.IMAGING_APART_SPARE
	}
	memory := newPlane(width+spare, height+spare, 3)
	var why [C.IMAGING_WHY]C.char
	if C.imaging_decode_jpeg(unsafe.Pointer(&data[0]), C.size_t(len(data)), &how, (*C.uchar)(&memory.pix[0]), &why[0]) != 0 {
		memory.release()
		return nil, false, errors.New(C.GoString(&why[0]))
	}
	c := &canvas{pixels: plane{memory.pix[:width*height*3], width, height, 3}, width: width, height: height}
	if how.across > 0 {
		luma, cb, cr := how.components[0], how.components[1], how.components[2]
		across, down := int(how.across), int(how.down)
		c.pixels = plane{memory.pix[:int(luma.stride)*height], int(luma.stride), height, 1}
		c.chroma = chroma{ // the slice reaches to the end of Cr
			plane{memory.pix[cb.offset:], int(cb.stride), (height + down - 1) / down, 1}, int(cr.offset - cb.offset), across, down,
		}
	}
	return c, how.thin != 0, nil
}
