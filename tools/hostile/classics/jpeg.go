package classics

import "bytes"

// segment is a marker of JPEG with its data (ITU-T T.81, B.1.1.4).
func segment(marker byte, data []byte) []byte {
	return join([]byte{0xff, marker}, be16(len(data)+2), data)
}

const (
	markerAPP1, markerAPP2          = 0xe1, 0xe2
	markerSOF0, markerSOF2          = 0xc0, 0xc2
	markerDHT, markerDQT, markerSOS = 0xc4, 0xdb, 0xda
	maxSegment                      = 65533
	endOfBlock, longRun             = 0x00, 0xe0 // symbols: one empty block; 2^14 empty blocks and the number in the next 14 bits
	maxRun                          = 1<<15 - 1
)

// scansJPEG is a valid, progressive, black picture of blocks x blocks x 64 pixels. Up to 882 scans of a few bytes refine its
// coefficients, and the decoder visits all blocks in each scan.
func scansJPEG(blocks, scans int) []byte {
	side, ones := be16(8*blocks), bytes.Repeat([]byte{1}, 64)
	file := join([]byte{0xff, 0xd8}, segment(markerDQT, join([]byte{0}, ones)),
		segment(markerSOF2, join([]byte{8}, side, side, []byte{1, 1, 0x11, 0})),
		segment(markerDHT, huffman(0x00, 0)), segment(markerDHT, huffman(0x10, longRun, endOfBlock)))
	file = append(file, scan(0, 0, 0, make([]byte, blocks*blocks/8))...) // one bit, 0, codes a block's mean
	const finest = 13
	runs := runsOfEmptyBlocks(blocks * blocks)
	for i := range scans {
		coefficient, point := 1+i/(finest+1), finest-i%(finest+1)
		before := (point + 1) % (finest + 1) // 0: the first scan of the coefficient
		file = append(file, scan(coefficient, before, point, runs)...)
	}
	return append(file, 0xff, 0xd9)
}

// huffman is a table in which the code of the n-th symbol is n-1 ones and a zero.
func huffman(class byte, symbols ...byte) []byte {
	counts := make([]byte, 16)
	for i := range symbols {
		counts[i] = 1
	}
	return join([]byte{class}, counts, symbols)
}

// scan refines one coefficient by one bit of precision (T.81, G.1.1.1).
func scan(coefficient, before, point int, data []byte) []byte {
	c := byte(coefficient)
	return join(segment(markerSOS, []byte{1, 1, 0x00, c, c, byte(before<<4 | point)}), data)
}

// runsOfEmptyBlocks codes in a few bytes that all blocks are empty (T.81, G.1.2.2).
func runsOfEmptyBlocks(blocks int) []byte {
	var text []byte // bits in the order of reading
	put := func(value, width int) {
		for i := width - 1; i >= 0; i-- {
			text = append(text, byte(value>>i&1))
		}
	}
	for left := blocks; left > 0; {
		if left < 1<<14 {
			put(0b10, 2)
			left--
			continue
		}
		run := min(left, maxRun)
		put(0, 1)
		put(run-1<<14, 14)
		left -= run
	}
	for len(text)%8 > 0 {
		text = append(text, 1)
	}
	var data []byte
	for i := 0; i < len(text); i += 8 {
		var b byte
		for _, bit := range text[i : i+8] {
			b = b<<1 | bit
		}
		data = append(data, b)
		if b == 0xff {
			data = append(data, 0)
		}
	}
	return data
}

// withSegments inserts segments after the start of a JPEG.
func withSegments(segments ...[]byte) []byte {
	file := smallJPEG()
	return join(file[:2], join(segments...), file[2:])
}

func jpegs() []File {
	huge := smallJPEG()
	at := bytes.Index(huge, []byte{0xff, markerSOF0})
	copy(huge[at+5:], []byte{0xff, 0xff, 0xff, 0xff})
	loop := join([]byte("Exif\x00\x00MM\x00*"), be32(8), be16(1), // an IFD of one entry, the EXIF IFD, which is this IFD
		be16(0x8769), be16(4), be32(1), be32(8), be32(8))
	return []File{
		{"bomb-880-scans.jpg", scansJPEG(512, 880)},
		{"bomb-98-scans.jpg", scansJPEG(880, 98)},
		{"huge-header.jpg", huge},
		{"exif-loop.jpg", withSegments(segment(markerAPP1, loop))},
		{"profile-16mb.jpg", withSegments(profileSegments(make([]byte, 255*(maxSegment-14)))...)},
		{"profile-nested.jpg", withSegments(profileSegments(nestedProfile())...)},
		{"profile-many-tags.jpg", withSegments(profileSegments(profile(1<<28, nil))...)},
		{"endless-padding.jpg", withSegments(bytes.Repeat([]byte{0xff}, 8<<20))},
		{"never-ends.jpg", join(smallJPEG()[:600], make([]byte, 8<<20))},
	}
}
