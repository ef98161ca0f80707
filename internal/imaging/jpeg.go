package imaging

import (
	"bytes"
	"encoding/binary"
)

// maxScans bounds the passes over a picture that a JPEG may ask for. Encoders write about ten; each
// can be a few dozen bytes and still take the decoder through every block.
const maxScans = 100

// countScans counts the scans of a JPEG (ITU-T T.81, Annex B) up to its first end; the usual
// file, whose only scan holds all components, is not searched any further.
func countScans(data []byte) int {
	const startOfScan, endOfImage = 0xda, 0xd9
	scans, components, progressive := 0, 0, false
	for at := 2; ; {
		next := bytes.IndexByte(data[min(at, len(data)):], 0xff)
		if next < 0 || at+next+10 > len(data) {
			return scans
		}
		at += next + 1
		kind, segment := data[at], data[at+1:]
		switch {
		case kind == 0xff: // fill
		case kind == 0 || kind == 1 || kind >= 0xd0 && kind < endOfImage: // no segment follows
			at++
		case kind == endOfImage:
			return scans
		case kind == startOfScan:
			scans++
			if !progressive && int(segment[2]) == components {
				return scans
			}
			at++ // the header holds no 0xff, so the next one is in or after the coded data
		default:
			if kind >= 0xc0 && kind <= 0xcf && kind != 0xc4 && kind != 0xc8 && kind != 0xcc {
				components, progressive = int(segment[7]), kind&3 == 2
			}
			at += 1 + int(binary.BigEndian.Uint16(segment))
		}
	}
}
