package imaging

// #cgo pkg-config: libjpeg
// #include "libjpeg.h"
import "C"

import (
	"errors"
	"unsafe"
)

// worthThinning is the size from which on a file takes longer to decode than thinning's tables take to make.
const worthThinning = 1 << 16

// decodeJPEG decodes a file of one or three components, shrunk by 1, 2, 4 or 8 to width x height, to RGB in pooled memory.
// The bytes are those that libvips gives, whose pipeline costs a small picture as much again as the codec.
func decodeJPEG(data []byte, shrink, width, height int) (plane, error) {
	p, _, err := decodeThinned(data, shrink, shrink == 8 && len(data) >= worthThinning, width, height)
	return p, err
}

// decodeThinned is decodeJPEG with or without an attempt at thinning, and says whether it came to that.
func decodeThinned(data []byte, shrink int, try bool, width, height int) (plane, bool, error) {
	p := newPlane(width, height, 3)
	var why [C.IMAGING_WHY]C.char
	var thin C.int
	if try {
		thin = 1
	}
	if C.imaging_decode_jpeg(unsafe.Pointer(&data[0]), C.size_t(len(data)), C.int(shrink), &thin, C.int(width), C.int(height),
		(*C.uchar)(&p.pix[0]), &why[0]) != 0 {
		p.release()
		return plane{}, false, errors.New(C.GoString(&why[0]))
	}
	return p, thin != 0, nil
}
