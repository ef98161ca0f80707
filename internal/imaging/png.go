package imaging

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strings"
)

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

// pngHeaderFault says what is wrong with the header chunk of a PNG (PNG specification, section 11.2.1), or "" when nothing
// is: libvips refuses some without a word.
func pngHeaderFault(data []byte) string {
	const signature, end = 8, 33
	if len(data) < end {
		return "the file ends in its header"
	}
	if length, kind := binary.BigEndian.Uint32(data[signature:]), string(data[12:16]); length != 13 || kind != "IHDR" {
		return fmt.Sprintf("the first chunk is %q of %d bytes, wanted IHDR of 13", kind, length)
	}
	width, height := binary.BigEndian.Uint32(data[16:]), binary.BigEndian.Uint32(data[20:])
	depth, colour, compression, filter, interlace := data[24], data[25], data[26], data[27], data[28]
	const longest = 1<<31 - 1
	depths := map[byte]string{0: "\x01\x02\x04\x08\x10", 2: "\x08\x10", 3: "\x01\x02\x04\x08", 4: "\x08\x10", 6: "\x08\x10"}
	switch {
	case width == 0 || height == 0 || width > longest || height > longest:
		return fmt.Sprintf("the header says %d x %d pixels", width, height)
	case !strings.Contains(depths[colour], string(rune(depth))):
		return fmt.Sprintf("the header says %d bits of colour type %d", depth, colour)
	case compression != 0 || filter != 0 || interlace > 1:
		return fmt.Sprintf("the header says compression %d, filter %d, interlacing %d", compression, filter, interlace)
	case crc32.ChecksumIEEE(data[12:29]) != binary.BigEndian.Uint32(data[29:]):
		return "the header's checksum is wrong"
	}
	return ""
}
