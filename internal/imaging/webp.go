package imaging

import "encoding/binary"

// countWebPFrames counts the frames of an animated WebP (RFC 9649, section 2.7) without decoding them. A still one has 0.
func countWebPFrames(data []byte) int {
	const riffHeader, chunkHeader = 12, 8
	frames := 0
	for at := riffHeader; at+chunkHeader <= len(data); {
		if string(data[at:at+4]) == "ANMF" {
			frames++
		}
		size := int(binary.LittleEndian.Uint32(data[at+4:]))
		at += chunkHeader + size + size&1
	}
	return frames
}
