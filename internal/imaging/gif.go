package imaging

// walkGIF counts the frames of a GIF (GIF89a specification, from section 17) without decoding them, so that limits are
// checked before libvips lists them. whole is false if the file ends inside a block, of which libvips would show a part
// without an error. A missing trailer is common and accepted. After an unknown block, the decoder decides.
func walkGIF(data []byte) (frames int, whole bool) {
	const header, extension, image, trailer = 13, 0x21, 0x2c, 0x3b
	if len(data) < header {
		return 0, false
	}
	at := header + colourTable(data[10])
	for at < len(data) {
		switch data[at] {
		case extension:
			at += 2
		case image:
			if at+10 > len(data) {
				return frames, false
			}
			at += 10 + colourTable(data[at+9]) + 1
			frames++
		case trailer:
			return frames, true
		default:
			return frames, true
		}
		for at < len(data) && data[at] > 0 { // sub-blocks: length, then that many bytes
			at += 1 + int(data[at])
		}
		at++
	}
	return frames, at == len(data)
}

// colourTable returns the size in bytes of the colour table that a packed field announces.
func colourTable(packed byte) int {
	if packed&0x80 == 0 {
		return 0
	}
	return 3 << (packed&7 + 1)
}
