package imaging

// decodeRLE decodes run lengths (BI_RLE8, BI_RLE4 and OS/2's RLE24). Skipped pixels stay transparent, as in browsers. Data
// that ends without an end marker is an error.
func (b *bitmap) decodeRLE(out []byte) error {
	const endOfLine, endOfBitmap, move = 0, 1, 2
	in, x, y := b.pixels, 0, 0
	next := func(n int) (taken []byte, ok bool) {
		if n > len(in) {
			return nil, false
		}
		taken, in = in[:n], in[n:]
		return taken, true
	}
	for y < b.height {
		code, ok := next(2)
		if !ok {
			return errShortPixels
		}
		count := int(code[0])
		if count > 0 { // a run; its first byte was read
			run := code[1:2]
			if b.packing == packedRLE24 {
				rest, ok := next(2)
				if !ok {
					return errShortPixels
				}
				run = []byte{code[1], rest[0], rest[1]}
			}
			x = b.put(out, x, y, count, run, true)
			continue
		}
		switch code[1] {
		case endOfLine:
			x, y = 0, y+1
		case endOfBitmap:
			return nil
		case move:
			by, ok := next(2)
			if !ok {
				return errShortPixels
			}
			x, y = min(x+int(by[0]), b.width), y+int(by[1])
		default:
			count = int(code[1])
			size := (count*b.depth + 7) / 8
			literal, ok := next(size + size&1)
			if !ok {
				return errShortPixels
			}
			x = b.put(out, x, y, count, literal, false)
		}
	}
	return nil
}

// put sets count pixels from x on, up to the end of the row, and returns the next x. A run repeats its bytes.
func (b *bitmap) put(out []byte, x, y, count int, from []byte, run bool) int {
	row := b.row(out, y)
	for i := 0; i < count && x < b.width; i++ {
		pixel := row[4*x : 4*x+4]
		at := i
		switch {
		case b.packing == packedRLE24:
			if run {
				at = 0
			}
			pixel[0], pixel[1], pixel[2], pixel[3] = from[3*at+2], from[3*at+1], from[3*at], 255
		case b.packing == packedRLE8:
			if run {
				at = 0
			}
			b.paint(pixel, from[at])
		default:
			if run {
				at &= 1
			}
			b.paint(pixel, from[at/2]>>(4*(1-at&1))&15)
		}
		x++
	}
	return x
}
