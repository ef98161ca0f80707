package classics

import (
	"bytes"
	"compress/lzw"
)

func gifHeader(width, height int) []byte {
	return join([]byte("GIF89a"), le16(width), le16(height), []byte{0x80, 0, 0}, []byte{0, 0, 0, 255, 255, 255})
}

func gifFrame(width, height int, data []byte) []byte {
	return join([]byte{0x2c}, le16(0), le16(0), le16(width), le16(height), []byte{0, 8}, data)
}

// lzwZeros is the data of a black frame: sub-blocks of LZW (GIF89a specification, appendix F).
func lzwZeros(pixels int) []byte {
	var packed bytes.Buffer
	w := lzw.NewWriter(&packed, lzw.LSB, 8)
	_, _ = w.Write(make([]byte, pixels)) // to memory, which does not fail
	_ = w.Close()
	var blocks []byte
	for packed.Len() > 0 {
		block := packed.Next(255)
		blocks = append(append(blocks, byte(len(block))), block...)
	}
	return append(blocks, 0)
}

// loops makes the animation repeat for ever.
var loops = []byte("\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00")

const gifTrailer = 0x3b

func gifs() []File {
	end := []byte{gifTrailer}
	tiny, large := gifFrame(1, 1, lzwZeros(1)), gifFrame(7000, 7000, lzwZeros(49_000_000))
	animation := join(gifHeader(300, 200), loops, bytes.Repeat(gifFrame(300, 200, lzwZeros(60_000)), 200))
	return []File{
		{"bomb-7000x7000.gif", join(gifHeader(7000, 7000), large, end)},
		{"bomb-1000-frames-of-49-megapixels.gif", join(gifHeader(7000, 7000), bytes.Repeat(gifFrame(7000, 7000, lzwZeros(1)), 1000), end)},
		{"bomb-100000-frames.gif", join(gifHeader(1, 1), bytes.Repeat(tiny, 100_000), end)},
		{"bomb-small-frames-on-a-large-screen.gif", join(gifHeader(5000, 5000), bytes.Repeat(tiny, 15), end)},
		{"frame-larger-than-screen.gif", join(gifHeader(1, 1), large, end)},
		{"huge-header.gif", join(gifHeader(65535, 65535), tiny, end)},
		{"endless-loop.gif", join(animation, end)},
		{"endless-no-trailer.gif", animation},
		{"endless-comment.gif", join(gifHeader(16, 16), []byte{0x21, 0xfe}, bytes.Repeat(join([]byte{255}, make([]byte, 255)), 40_000))},
		{"no-frames.gif", join(gifHeader(16, 16), bytes.Repeat(loops, 10_000), end)},
	}
}
