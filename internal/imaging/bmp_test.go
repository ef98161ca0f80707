package imaging

import (
	"encoding/binary"
	"image"
	"image/color"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// madeBMP holds the parts of a BMP file.
type madeBMP struct {
	size                      int // of the header
	width, height             int
	depth, compression, count uint32
	more                      []byte // the header from byte 40 on
	behind                    []byte // masks and palette after the header
	pixels                    []byte
}

func (m madeBMP) file() []byte {
	u16, u32 := binary.LittleEndian.AppendUint16, binary.LittleEndian.AppendUint32
	header := u32(nil, uint32(m.size))
	if m.size == 12 {
		header = u16(u16(u16(u16(header, uint16(m.width)), uint16(m.height)), 1), uint16(m.depth))
	} else {
		header = u32(u32(header, uint32(m.width)), uint32(m.height))
		header = u32(u16(u16(header, 1), uint16(m.depth)), m.compression)
		header = u32(append(header, make([]byte, 12)...), m.count)
		header = append(append(header, 0, 0, 0, 0), m.more...)
	}
	header = append(header, make([]byte, max(0, m.size-len(header)))...)[:m.size]
	file := append([]byte("BM"), make([]byte, 12)...)
	binary.LittleEndian.PutUint32(file[10:], uint32(14+m.size+len(m.behind)))
	return append(append(append(file, header...), m.behind...), m.pixels...)
}

func masks(values ...uint32) (out []byte) {
	for _, v := range values {
		out = binary.LittleEndian.AppendUint32(out, v)
	}
	return out
}

// rowsOf encodes each pixel with a function, pads rows to four bytes, and orders them from the bottom.
func rowsOf(im *image.RGBA, code func(c color.RGBA) []byte) (out []byte) {
	for y := im.Rect.Dy() - 1; y >= 0; y-- {
		for x := range im.Rect.Dx() {
			out = append(out, code(im.RGBAAt(x, y))...)
		}
		out = append(out, make([]byte, (4-len(out)%4)%4)...)
	}
	return out
}

func TestBitmapsOfMasks(t *testing.T) {
	const w, h = 37, 20
	im := drawing(w, h)
	in16 := func(red, green, blue int) func(color.RGBA) []byte {
		return func(c color.RGBA) []byte {
			v := uint16(c.R)>>(8-red)<<(green+blue) | uint16(c.G)>>(8-green)<<blue | uint16(c.B)>>(8-blue)
			return binary.LittleEndian.AppendUint16(nil, v)
		}
	}
	in32 := func(c color.RGBA) []byte { return []byte{0, c.R, c.G, c.B} }
	in24 := func(c color.RGBA) []byte { return []byte{c.B, c.G, c.R} }
	for name, c := range map[string]struct {
		madeBMP
		code func(color.RGBA) []byte
		off  float64
	}{
		"555 by default":     {madeBMP{size: 40, depth: 16}, in16(5, 5, 5), 4},
		"565":                {madeBMP{size: 40, depth: 16, compression: 3, behind: masks(0xf800, 0x7e0, 0x1f)}, in16(5, 6, 5), 4},
		"565 of V4":          {madeBMP{size: 108, depth: 16, compression: 3, more: masks(0xf800, 0x7e0, 0x1f)}, in16(5, 6, 5), 4},
		"32 by masks":        {madeBMP{size: 40, depth: 32, compression: 3, behind: masks(0xff00, 0xff0000, 0xff000000)}, in32, 0},
		"32 of V2":           {madeBMP{size: 52, depth: 32, compression: 3, more: masks(0xff00, 0xff0000, 0xff000000)}, in32, 0},
		"24 of OS/2":         {madeBMP{size: 12, depth: 24}, in24, 0},
		"24 of OS/2 2":       {madeBMP{size: 64, depth: 24}, in24, 0},
		"24 of OS/2 2 short": {madeBMP{size: 16, depth: 24}, in24, 0},
	} {
		t.Run(name, func(t *testing.T) {
			c.width, c.height, c.pixels = w, h, rowsOf(im, c.code)
			got := renderings(t, c.file(), Limits{})
			require.Len(t, got, 1)
			require.LessOrEqual(t, meanDifference(got[0], pixelsOf(im)), c.off)
			padding := (4 - w*int(c.depth)/8%4) % 4
			c.pixels = c.pixels[:len(c.pixels)-padding-1]
			_, err := Decode(c.file(), Request{})
			requireKind(t, ErrUndecodable, err)
		})
	}
	top := madeBMP{size: 40, width: w, height: -h, depth: 24, pixels: rowsOf(im, in24)}
	upsideDown := plane{pixelsOf(im), w, h, 3}.turned(orientationUpDown)
	require.Equal(t, upsideDown.pix, renderings(t, top.file(), Limits{})[0])
}

var fourColours = []byte{0, 0, 200, 0, 0, 200, 0, 0, 200, 0, 0, 0, 90, 90, 90, 0} // red, green, blue, grey

func colours(indices ...int) (out []byte) {
	for _, i := range indices {
		out = append(out, fourColours[4*i+2], fourColours[4*i+1], fourColours[4*i])
	}
	return out
}

// Each case has two rows of five pixels: 3 3 3 1 1 above 0 1 2 3 0.
func TestPackedBitmaps(t *testing.T) {
	want := append(colours(3, 3, 3, 1, 1), colours(0, 1, 2, 3, 0)...)
	os2 := []byte{0, 0, 200, 0, 200, 0, 200, 0, 0, 90, 90, 90}
	of := func(i int) []byte { return fourColours[4*i : 4*i+3] }
	var rle24 []byte
	rle24 = append(rle24, 0, 5)
	for _, i := range []int{0, 1, 2, 3, 0} {
		rle24 = append(rle24, of(i)...)
	}
	rle24 = append(append(append(append(rle24, 0, 0, 0, 3), of(3)...), 2), of(1)...)
	rle24 = append(rle24, 0, 1)
	for name, m := range map[string]madeBMP{
		"RLE8":             {size: 40, depth: 8, compression: 1, count: 4, behind: fourColours, pixels: []byte{0, 5, 0, 1, 2, 3, 0, 0, 0, 0, 3, 3, 2, 1, 0, 1}},
		"RLE4":             {size: 40, depth: 4, compression: 2, count: 4, behind: fourColours, pixels: []byte{0, 5, 0x01, 0x23, 0x00, 0, 0, 0, 3, 0x33, 2, 0x11, 0, 1}},
		"RLE24 of OS/2":    {size: 64, depth: 24, compression: 4, pixels: rle24},
		"4 bits":           {size: 40, depth: 4, count: 4, behind: fourColours, pixels: []byte{0x01, 0x23, 0x00, 0, 0x33, 0x31, 0x10, 0}},
		"2 bits":           {size: 40, depth: 2, count: 4, behind: fourColours, pixels: []byte{0x1b, 0, 0, 0, 0xfd, 0x40, 0, 0}},
		"8 bits of OS/2":   {size: 12, depth: 8, behind: os2, pixels: []byte{0, 1, 2, 3, 0, 0, 0, 0, 3, 3, 3, 1, 1, 0, 0, 0}},
		"8 bits of OS/2 2": {size: 64, depth: 8, count: 4, behind: fourColours, pixels: []byte{0, 1, 2, 3, 0, 0, 0, 0, 3, 3, 3, 1, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			m.width, m.height = 5, 2
			for index, pix := range renderings(t, m.file(), Limits{}) {
				require.Equal(t, want, pix, index)
			}
		})
	}
}

// Pixels that an RLE skips are transparent in browsers and black in other viewers.
func TestSkippedPixels(t *testing.T) {
	m := madeBMP{
		size: 40, width: 4, height: 2, depth: 8, compression: 1, count: 4, behind: fourColours,
		pixels: []byte{0, 2, 2, 0, 1, 0, 0, 0, 1, 2, 0, 1}, // two to the right, one red; in the upper row, one blue
	}
	clear := func(page byte) []byte { return []byte{page, page, page} }
	rows := func(page byte) (out []byte) {
		out = append(colours(2), append(append(clear(page), clear(page)...), clear(page)...)...)
		return append(append(append(append(out, clear(page)...), clear(page)...), colours(0)...), clear(page)...)
	}
	got := renderings(t, m.file(), Limits{})
	require.Equal(t, map[int][]byte{0: rows(0), 2: rows(255), 3: rows(0)}, got)
	m.pixels = m.pixels[:len(m.pixels)-2]
	_, err := Decode(m.file(), Request{})
	requireKind(t, ErrUndecodable, err)
}

func TestAlphaOfBitmaps(t *testing.T) {
	m := madeBMP{size: 124, width: 1, height: 1, depth: 32, compression: 3, more: masks(0xff, 0xff00, 0xff0000, 0xff000000)}
	m.pixels = []byte{200, 100, 0, 0}
	for _, pix := range renderings(t, m.file(), Limits{}) {
		require.Equal(t, []byte{200, 100, 0}, pix, "nothing would be seen")
	}
	m.pixels[3] = 51
	require.Equal(t, map[int][]byte{0: {200, 100, 0}, 2: {244, 224, 204}, 3: {40, 20, 0}}, renderings(t, m.file(), Limits{}))
}

// Headers of version 4 change colours by gamma, as gAMA does, and of version 5 by an ICC profile.
func TestColoursOfBitmaps(t *testing.T) {
	want := drawing(64, 48)
	m := madeBMP{size: 108, width: 64, height: 48, depth: 24, more: make([]byte, 68)}
	for i := range 3 {
		binary.LittleEndian.PutUint32(m.more[96-40+4*i:], 5<<16)
	}
	m.pixels = rowsOf(want, func(c color.RGBA) (out []byte) {
		for _, v := range []uint8{c.B, c.G, c.R} {
			out = append(out, uint8(255*math.Pow(srgbLight(float64(v)/255), 0.2)+0.5))
		}
		return out
	})
	got := renderings(t, m.file(), Limits{})
	require.Len(t, got, 2)
	require.Less(t, meanDifference(got[2], pixelsOf(want)), 2.0)
	binary.LittleEndian.PutUint32(m.more[56-40:], 0x73524742) // sRGB
	require.Len(t, renderings(t, m.file(), Limits{}), 1)
}

func TestFaultyBitmaps(t *testing.T) {
	bitmap := func(depth, compression uint32) madeBMP {
		return madeBMP{size: 40, width: 8, height: 8, depth: depth, compression: compression, behind: masks(1, 2, 4), pixels: make([]byte, 400)}
	}
	gaps := bitmap(32, 3)
	gaps.behind = masks(5, 2, 8)
	inside := bitmap(24, 0).file()
	inside[10] = 20
	for name, c := range map[string]struct {
		kind error
		file []byte
	}{
		"a JPEG":          {ErrUnsupported, bitmap(24, 4).file()},
		"a PNG":           {ErrUnsupported, bitmap(24, 5).file()},
		"RLE8 of 4 bits":  {ErrUnsupported, bitmap(4, 1).file()},
		"3 bits":          {ErrUnsupported, bitmap(3, 0).file()},
		"gaps in a mask":  {ErrUndecodable, gaps.file()},
		"masks cut off":   {ErrUndecodable, gaps.file()[:58]},
		"header cut off":  {ErrUndecodable, gaps.file()[:40]},
		"pixels in front": {ErrUndecodable, inside},
		"too large":       {ErrTooLarge, bmpHeader(40, 30_000, 30_000, 8, 1)},
		"no height":       {ErrUndecodable, bmpHeader(40, 30, 0, 8, 1)},
		"least height":    {ErrTooLarge, bmpHeader(40, 30, 1<<31, 8, 1)},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Decode(c.file, Request{Targets: []Target{clip}})
			requireKind(t, c.kind, err)
		})
	}
}

func FuzzBitmap(f *testing.F) {
	f.Add(bmpHeader(40, 4, 4, 24, 0))
	f.Add(madeBMP{size: 40, width: 5, height: 2, depth: 4, compression: 2, behind: fourColours, pixels: []byte{0, 5, 1, 0x23, 0, 0, 0, 0, 3, 0x33, 0, 2, 1, 0, 0, 1}}.file())
	f.Add(madeBMP{size: 64, width: 5, height: 2, depth: 24, compression: 4, pixels: []byte{3, 1, 2, 3, 0, 1}}.file())
	f.Add(madeBMP{size: 108, width: 3, height: -1, depth: 16, compression: 3, more: masks(0xf800, 0x7e0, 0x1f, 0), pixels: make([]byte, 6)}.file())
	f.Fuzz(func(t *testing.T, data []byte) {
		s := &source{data: data}
		if s.readBitmap() != nil || (Limits{MaxPixels: 1 << 16}).checkSize(s.width, s.height) != nil {
			return
		}
		if pixels, err := s.bitmap.decode(); err == nil && len(pixels) != 4*s.width*s.height {
			t.Fatalf("%d bytes for %d x %d pixels", len(pixels), s.width, s.height)
		}
	})
}

func FuzzAnimatedPNG(f *testing.F) {
	frame := madeFrame{im: drawing(3, 2), blend: blendOver, dispose: disposePrevious}
	still := makeAPNG(f, 3, 2, drawing(3, 2), frame, frame)
	f.Add(still, 0, byte(0))
	f.Fuzz(func(t *testing.T, data []byte, at int, value byte) {
		// Correct checksums, or the decoder would ignore the changed chunks.
		file := []byte(pngSignature)
		for c := range pngChunks(data) {
			changed := append([]byte(nil), c.data...)
			if at >= 0 && at < len(changed) {
				changed[at] = value
			}
			file = appendChunk(file, c.kind, changed)
		}
		_, err := Decode(file, Request{Targets: []Target{whole(4, 4)}, Limits: Limits{MaxPixels: 1 << 14, MaxFrames: 3}})
		if err != nil && !isFault(err) {
			t.Fatalf("an error of no kind: %v", err)
		}
	})
}
