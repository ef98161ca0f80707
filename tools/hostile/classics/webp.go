package classics

import "bytes"

// riff is a RIFF chunk, padded to an even length.
func riff(kind string, data []byte) []byte {
	padded := join([]byte(kind), le32(len(data)), data)
	return append(padded, make([]byte, len(data)%2)...)
}

func webpFile(chunks ...[]byte) []byte {
	return riff("RIFF", join([]byte("WEBP"), join(chunks...)))
}

// lossless is a picture of one colour in any size: each of the five prefix codes has a single symbol, which takes no bits
// (WebP Lossless Bitstream Specification, 6.2.1). Sides are 1 to 16384; libwebp takes up to 16383.
func lossless(width, height int) []byte {
	var b bits
	b.add(0x2f, 8)
	b.add(uint32(width-1), 14)
	b.add(uint32(height-1), 14)
	b.add(0, 1+3)   // no alpha, version 0
	b.add(0, 1+1+1) // no transform, no colour cache, one group of codes
	for range 5 {
		b.add(1, 1) // a simple code
		b.add(0, 3) // of one symbol, written in one bit, 0
	}
	return riff("VP8L", append(b.data, make([]byte, 8)...))
}

// AnimatedWebP shows the same picture in every frame.
func AnimatedWebP(width, height, frames int) []byte {
	size := func(n int) []byte { return le32(n - 1)[:3] }
	head := riff("VP8X", join([]byte{2, 0, 0, 0}, size(width), size(height)))
	frame := riff("ANMF", join(make([]byte, 6), size(width), size(height), []byte{10, 0, 0, 0}, lossless(width, height)))
	return webpFile(head, riff("ANIM", make([]byte, 6)), bytes.Repeat(frame, frames))
}

func webps() []File {
	return []File{
		{"bomb-7000x7000.webp", webpFile(lossless(7000, 7000))},
		{"bomb-16383x16383.webp", webpFile(lossless(16383, 16383))},
		{"bomb-2000-frames-of-1-megapixel.webp", AnimatedWebP(1000, 1000, 2000)},
		{"bomb-390-frames-of-1-megapixel.webp", AnimatedWebP(1000, 1000, 390)},
		{"bomb-100000-frames.webp", AnimatedWebP(1, 1, 100_000)},
		{"needle.webp", webpFile(lossless(16383, 1))},
		{"longer-than-file.webp", join([]byte("RIFF"), le32(1<<31-1), []byte("WEBPVP8L"), le32(1<<31-1))},
	}
}
