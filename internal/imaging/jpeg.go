package imaging

import (
	"bytes"
	"encoding/binary"
)

// maxScans bounds the passes over a picture that a JPEG may ask for. Encoders write about ten; each
// can be a few dozen bytes and still take the decoder through every block.
const maxScans = 100

// jpegOutline is what the segments of a JPEG say.
type jpegOutline struct {
	width, height, components int  // as stored
	scans                     int  // up to the first end
	metadata                  bool // Exif, an ICC profile or the like, which may say how to show it
}

// bare tells whether the picture is its pixels and nothing else.
func (o jpegOutline) bare() bool {
	return (o.components == 1 || o.components == 3) && o.width > 0 && o.height > 0 && !o.metadata
}

// outlineJPEG reads the segments of a JPEG (ITU-T T.81, Annex B); the usual file, whose only scan holds all components, is not
// searched any further.
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
		case kind == 0 || kind == 1 || kind >= 0xd0 && kind < endOfImage: // no segment follows
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

// isFrame tells the headers of frames from the tables among them.
func isFrame(kind byte) bool {
	return kind >= 0xc0 && kind <= 0xcf && kind != 0xc4 && kind != 0xc8 && kind != 0xcc
}
