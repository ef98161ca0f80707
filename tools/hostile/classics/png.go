package classics

import (
	"hash/crc32"
	"math"
)

const pngSignature = "\x89PNG\r\n\x1a\n"

// chunk is one part of a PNG (ISO/IEC 15948, 5.3).
func chunk(kind string, data []byte) []byte {
	body := join([]byte(kind), data)
	return join(be32(len(data)), body, be32(int(crc32.ChecksumIEEE(body))))
}

// Colour types of PNG, and their channels.
const (
	pngGray = 0
	pngRGBA = 6
)

func pngHeader(width, height, depth, colour int, interlaced bool) []byte {
	last := []byte{byte(depth), byte(colour), 0, 0, 0}
	if interlaced {
		last[4] = 1
	}
	return chunk("IHDR", join(be32(width), be32(height), last))
}

func pngFile(chunks ...[]byte) []byte {
	return join([]byte(pngSignature), join(chunks...), chunk("IEND", nil))
}

// InterlacedPNG is a black picture in RGBA of 16 bits. As it is interlaced, a decoder unpacks it whole, at 8 bytes a pixel.
func InterlacedPNG(width, height int) []byte {
	bytes := 0
	for _, pass := range [7][4]int{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}} {
		left, top, stepX, stepY := pass[0], pass[1], pass[2], pass[3]
		columns, rows := (width-left+stepX-1)/stepX, (height-top+stepY-1)/stepY
		if columns > 0 {
			bytes += rows * (1 + 8*columns)
		}
	}
	return pngFile(pngHeader(width, height, 16, pngRGBA, true), chunk("IDAT", zlibZeros(bytes)))
}

func grayPNG(width, height int, extra ...[]byte) []byte {
	return pngFile(pngHeader(width, height, 8, pngGray, false), join(extra...), chunk("IDAT", zlibZeros(height*(1+width))))
}

func pngs() []File {
	const most = math.MaxInt32
	text := join([]byte("Comment\x00\x00"), zlibZeros(512<<20))
	profile := join([]byte("icc\x00\x00"), zlibZeros(256<<20))
	return []File{
		{"bomb-7000x7000.png", grayPNG(7000, 7000)},
		{"bomb-30000x30000.png", grayPNG(30000, 30000)},
		{"bomb-interlaced-16bit.png", InterlacedPNG(7000, 7000)},
		{"bomb-text.png", grayPNG(16, 16, chunk("zTXt", text))},
		{"bomb-profile.png", grayPNG(16, 16, chunk("iCCP", profile))},
		{"needle-wide.png", grayPNG(49_999_999, 1)},
		{"needle-high.png", grayPNG(1, 49_999_999)},
		{"needle-300.png", grayPNG(300, 160_000)},
		{"huge-header.png", pngFile(pngHeader(most, most, 8, pngGray, false), chunk("IDAT", zlibZeros(1000)))},
		{"zero-header.png", pngFile(pngHeader(0, 0, 8, pngGray, false), chunk("IDAT", zlibZeros(1000)))},
		{"header-larger-than-data.png", pngFile(pngHeader(5000, 5000, 8, pngGray, false), chunk("IDAT", zlibZeros(1000)))},
		{"chunk-longer-than-file.png", join([]byte(pngSignature), pngHeader(16, 16, 8, pngGray, false), be32(most), []byte("IDAT"))},
		{"empty-data-chunks.png", manyEmptyChunks()},
	}
}

// manyEmptyChunks has 200,000 empty IDAT chunks before its pixels.
func manyEmptyChunks() []byte {
	empty, parts := chunk("IDAT", nil), []byte{}
	for range 200_000 {
		parts = append(parts, empty...)
	}
	return pngFile(pngHeader(16, 16, 8, pngGray, false), parts, chunk("IDAT", zlibZeros(16*17)))
}
