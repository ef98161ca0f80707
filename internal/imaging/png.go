package imaging

import "encoding/binary"

// isAnimatedPNG looks for the acTL chunk, which an animated PNG has before its first IDAT, with
// more than one frame. libvips shows such a file's first picture only; browsers play it.
func isAnimatedPNG(data []byte) bool {
	const signature, chunkHeader, checksum = 8, 8, 4
	for at := signature; at+chunkHeader+4 <= len(data); {
		size, kind := int(binary.BigEndian.Uint32(data[at:])), string(data[at+4:at+8])
		switch kind {
		case "acTL":
			return binary.BigEndian.Uint32(data[at+chunkHeader:]) > 1
		case "IDAT", "IEND":
			return false
		}
		at += chunkHeader + size + checksum
	}
	return false
}
