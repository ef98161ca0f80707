package imaging

// #cgo pkg-config: libjpeg
// #include "libjpeg.h"
import "C"

import (
	"errors"
	"unsafe"
)

// decodeJPEG decodes a file of one or three components, shrunk by 1, 2, 4 or 8 to width x height, to RGB in pooled memory.
// The bytes are those that libvips gives, whose pipeline costs a small picture as much again as the codec.
func decodeJPEG(data []byte, shrink, width, height int) (plane, error) {
	p := newPlane(width, height, 3)
	var why [C.IMAGING_WHY]C.char
	if C.imaging_decode_jpeg(unsafe.Pointer(&data[0]), C.size_t(len(data)), C.int(shrink), C.int(width), C.int(height),
		(*C.uchar)(&p.pix[0]), &why[0]) != 0 {
		p.release()
		return plane{}, errors.New(C.GoString(&why[0]))
	}
	return p, nil
}
