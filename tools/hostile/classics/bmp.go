package classics

import "math"

func bmpFile(width, height, depth, compression, colours int, data []byte) []byte {
	return join([]byte("BM"), le32(54+len(data)), le32(0), le32(54),
		le32(40), le32(width), le32(height), le16(1), le16(depth), le32(compression), le32(len(data)), le32(0), le32(0),
		le32(colours), le32(0), data)
}

func bmps() []File {
	some := make([]byte, 1000)
	return []File{
		{"huge-header.bmp", bmpFile(math.MaxInt32, math.MaxInt32, 24, 0, 0, some)},
		{"lowest-height.bmp", bmpFile(16, math.MinInt32, 24, 0, 0, some)},
		{"negative-width.bmp", bmpFile(-16, 16, 24, 0, 0, some)},
		{"header-larger-than-data.bmp", bmpFile(7000, 7000, 24, 0, 0, some)},
		{"run-length.bmp", bmpFile(7000, 7000, 8, 1, 256, some)},
		{"huge-palette.bmp", bmpFile(16, 16, 8, 0, math.MaxInt32, some)},
	}
}
