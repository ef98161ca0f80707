package classics

import "bytes"

// entry is a field of a TIFF directory that holds its value (TIFF 6.0, section 2).
func entry(tag, kind, count, value int) []byte {
	return join(le16(tag), le16(kind), le32(count), le32(value))
}

const long = 4 // type of a field

// tiffFile is a gray picture with the directory first and the data from dataAt on. next is the offset of the next directory.
func tiffFile(width, height, compression, rows, strips, next int, tables, data []byte) []byte {
	offsets, counts := dataAt, dataAt+4*strips
	if strips == 1 {
		offsets, counts = dataAt, len(data)
	}
	return join([]byte("II*\x00"), le32(8), le16(tiffFields),
		entry(256, long, 1, width), entry(257, long, 1, height), entry(258, long, 1, 8), entry(259, long, 1, compression),
		entry(262, long, 1, 1), entry(273, long, strips, offsets), entry(278, long, 1, rows), entry(279, long, strips, counts),
		le32(next), tables, data)
}

const (
	tiffFields              = 8
	dataAt                  = 8 + 2 + tiffFields*12 + 4
	tiffStored, tiffDeflate = 1, 8
)

// overlapping has all strips at the same offset.
func overlapping(width, height int) []byte {
	tables := join(bytes.Repeat(le32(dataAt+8*height), height), bytes.Repeat(le32(width), height))
	return tiffFile(width, height, tiffStored, 1, height, 0, tables, make([]byte, width))
}

func deflated(width, height, next int) []byte {
	return tiffFile(width, height, tiffDeflate, height, 1, next, nil, zlibZeros(width*height))
}

func tiffs() []File {
	return []File{
		{"bomb-7000x7000.tif", deflated(7000, 7000, 0)},
		{"bomb-30000x30000.tif", deflated(30000, 30000, 0)},
		{"bomb-overlapping-strips.tif", overlapping(7000, 7000)},
		{"huge-header.tif", tiffFile(1<<31-1, 1<<31-1, tiffStored, 1, 1, 0, nil, make([]byte, 100))},
		{"directory-loop.tif", deflated(16, 16, 8)},
		{"huge-strip-count.tif", tiffFile(16, 16, tiffStored, 1, 1<<30, 0, nil, make([]byte, 100))},
	}
}
