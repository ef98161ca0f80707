package imaging

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"iter"
	"strings"
)

// pngChunk is one chunk of a PNG (PNG specification, section 5.3).
type pngChunk struct {
	kind  string
	data  []byte
	whole []byte // length, kind, data and checksum
}

func (c pngChunk) intact() bool {
	end := len(c.whole) - 4
	return crc32.ChecksumIEEE(c.whole[4:end]) == binary.BigEndian.Uint32(c.whole[end:])
}

const pngSignature = "\x89PNG\r\n\x1a\n"

// pngChunks iterates over the chunks up to the first truncated one.
func pngChunks(data []byte) iter.Seq[pngChunk] {
	return func(yield func(pngChunk) bool) {
		const header, checksum = 8, 4
		for at := len(pngSignature); at+header+checksum <= len(data); {
			size := uint64(binary.BigEndian.Uint32(data[at:]))
			if size > uint64(len(data)-at-header-checksum) {
				return
			}
			end := at + header + int(size)
			c := pngChunk{string(data[at+4 : at+8]), data[at+header : end], data[at : end+checksum]}
			if !yield(c) || c.kind == "IEND" {
				return
			}
			at = end + checksum
		}
	}
}

// pngOutline holds the chunks before a PNG's pixels, and those of an animation's frames.
type pngOutline struct {
	header  []byte // the data of IHDR
	colours pngColours
	shared  []byte     // the palette and its transparency, which all frames share
	control []pngChunk // acTL before the pixels
	frames  []pngChunk // fcTL, IDAT and fdAT in order, if there is control
}

func outlinePNG(data []byte) (o pngOutline) {
	pixels := false
	for c := range pngChunks(data) {
		switch c.kind {
		case "IHDR":
			if o.header == nil && len(c.data) == 13 {
				o.header = c.data
			}
		case "PLTE", "tRNS":
			if !pixels {
				o.shared = append(o.shared, c.whole...)
			}
		case "acTL":
			if !pixels {
				o.control = append(o.control, c)
			}
		case "fcTL", "IDAT", "fdAT":
			pixels = pixels || c.kind == "IDAT"
			if pixels && o.control == nil || len(o.frames) > maxParts {
				return o
			}
			o.frames = append(o.frames, c)
		default:
			if !pixels {
				o.colours.read(c)
			}
		}
	}
	return o
}

// pngHeaderFault returns the fault of a PNG's header chunk (PNG specification, section 11.2.1), or "". libvips refuses some
// headers without a message.
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
