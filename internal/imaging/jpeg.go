package imaging

import (
	"bytes"
	"encoding/binary"
)

// maxScans bounds the passes over a picture that a JPEG may ask for. Encoders write about ten; each
// can be a few dozen bytes and still take the decoder through every block.
const maxScans = 100

// outlineJPEG reads the size of a JPEG (ITU-T T.81, Annex B), as stored, and counts its scans up to
// its first end; the usual file, whose only scan holds all components, is not searched any further.
func outlineJPEG(data []byte) (width, height, scans int) {
	const startOfScan, endOfImage = 0xda, 0xd9
	components, progressive := 0, false
	for at := 2; ; {
		next := bytes.IndexByte(data[min(at, len(data)):], 0xff)
		if next < 0 || at+next+10 > len(data) {
			return width, height, scans
		}
		at += next + 1
		kind, segment := data[at], data[at+1:]
		switch {
		case kind == 0xff: // fill
		case kind == 0 || kind == 1 || kind >= 0xd0 && kind < endOfImage: // no segment follows
			at++
		case kind == endOfImage:
			return width, height, scans
		case kind == startOfScan:
			scans++
			if !progressive && int(segment[2]) == components {
				return width, height, scans
			}
			at++ // the header holds no 0xff, so the next one is in or after the coded data
		default:
			if isFrame := kind >= 0xc0 && kind <= 0xcf && kind != 0xc4 && kind != 0xc8 && kind != 0xcc; isFrame && components == 0 {
				height, width = int(binary.BigEndian.Uint16(segment[3:])), int(binary.BigEndian.Uint16(segment[5:]))
				components, progressive = int(segment[7]), kind&3 == 2
			}
			at += 1 + int(binary.BigEndian.Uint16(segment))
		}
	}
}
