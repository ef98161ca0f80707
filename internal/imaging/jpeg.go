package imaging

import (
	"bytes"
	"encoding/binary"
)

// maxScans bounds the passes over a picture that a JPEG may ask for. Encoders write about ten; each
// can be a few dozen bytes and still take the decoder through every block.
const maxScans = 100

// jpegOutline is what the segments of a JPEG say before its coded data.
type jpegOutline struct {
	width, height int  // as stored
	scans         int  // up to the first end
	bare          bool // one or three components, and nothing (Exif, an ICC profile) that says how to show them
}

// outlineJPEG reads the segments of a JPEG (ITU-T T.81, Annex B); the usual file, whose only scan holds all components, is not
// searched any further.
func outlineJPEG(data []byte) (o jpegOutline) {
	const startOfScan, endOfImage, jfif, adobe = 0xda, 0xd9, 0xe0, 0xee
	components, progressive, metadata := 0, false, false
	defer func() { o.bare = (components == 1 || components == 3) && !metadata }()
	for at := 2; ; {
		next := bytes.IndexByte(data[min(at, len(data)):], 0xff)
		if next < 0 || at+next+10 > len(data) {
			return o
		}
		at += next + 1
		kind, segment := data[at], data[at+1:]
		switch {
		case kind == 0xff: // fill
		case kind == 0 || kind == 1 || kind >= 0xd0 && kind < endOfImage: // no segment follows
			at++
		case kind == endOfImage:
			return o
		case kind == startOfScan:
			o.scans++
			if !progressive && int(segment[2]) == components {
				return o
			}
			at++ // the header holds no 0xff, so the next one is in or after the coded data
		default:
			if isFrame := kind >= 0xc0 && kind <= 0xcf && kind != 0xc4 && kind != 0xc8 && kind != 0xcc; isFrame && components == 0 {
				o.height, o.width = int(binary.BigEndian.Uint16(segment[3:])), int(binary.BigEndian.Uint16(segment[5:]))
				components, progressive = int(segment[7]), kind&3 == 2
			}
			metadata = metadata || kind > jfif && kind < 0xf0 && kind != adobe
			at += 1 + int(binary.BigEndian.Uint16(segment))
		}
	}
}
