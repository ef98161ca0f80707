package imaging

import (
	"bytes"
	"encoding/binary"
)

// maxScans bounds the scans of a progressive JPEG. Encoders write about ten. A scan of a few dozen bytes can make the
// decoder visit every block.
const maxScans = 100

// jpegOutline summarises the segments of a JPEG.
type jpegOutline struct {
	width, height, components int  // as stored
	scans                     int  // up to the first end-of-image marker
	metadata                  bool // Exif, an ICC profile or the like, which may change its look
}

// bare reports whether nothing but the pixels determines the look.
func (o jpegOutline) bare() bool {
	return (o.components == 1 || o.components == 3) && o.width > 0 && o.height > 0 && !o.metadata
}

// outlineJPEG reads the segments of a JPEG (ITU-T T.81, Annex B). It stops at the first scan if that holds all components,
// as in usual files.
func outlineJPEG(data []byte) (o jpegOutline) {
	const startOfScan, endOfImage, jfif, adobe = 0xda, 0xd9, 0xe0, 0xee
	progressive := false
	for at := 2; ; {
		next := bytes.IndexByte(data[min(at, len(data)):], 0xff)
		if next < 0 || at+next+10 > len(data) {
			return o
		}
		at += next + 1
		kind, segment := data[at], data[at+1:]
		switch {
		case kind == 0xff: // fill
			continue
		case kind == 0 || kind == 1 || kind >= 0xd0 && kind < endOfImage: // markers without a segment
			at++
			continue
		case kind == endOfImage:
			return o
		case kind == startOfScan:
			o.scans++
			if !progressive && int(segment[2]) == o.components {
				return o
			}
		case isFrame(kind) && o.components == 0:
			o.height, o.width = int(binary.BigEndian.Uint16(segment[3:])), int(binary.BigEndian.Uint16(segment[5:]))
			o.components, progressive = int(segment[7]), kind&3 == 2
		case kind > jfif && kind < 0xf0 && kind != adobe:
			o.metadata = true
		}
		at += 1 + int(binary.BigEndian.Uint16(segment))
	}
}

// isFrame reports whether a marker is a frame header. Markers of tables are among their numbers.
func isFrame(kind byte) bool {
	return kind >= 0xc0 && kind <= 0xcf && kind != 0xc4 && kind != 0xc8 && kind != 0xcc
}
