package imaging

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"testing"

	"github.com/stretchr/testify/require"
)

// madeFrame is a frame of makeAPNG.
type madeFrame struct {
	at             image.Point
	im             image.Image
	dispose, blend byte
}

// idat returns the coded pixels of a picture in 8-bit RGBA.
func idat(tb testing.TB, im image.Image) []byte {
	see := converted(im, image.NewNRGBA(im.Bounds())).(*image.NRGBA)
	see.Pix[3]-- // one transparent pixel makes the encoder write alpha
	var out []byte
	for c := range pngChunks(encodePNG(tb, see)) {
		if c.kind == "IDAT" {
			out = append(out, c.data...)
		}
	}
	return out
}

// makeAPNG writes an animation of 8-bit RGBA. still is the default image, or nil if that is the first frame.
func makeAPNG(tb testing.TB, w, h int, still image.Image, frames ...madeFrame) []byte {
	u32 := binary.BigEndian.AppendUint32
	file := appendChunk([]byte(pngSignature), "IHDR", append(u32(u32(nil, uint32(w)), uint32(h)), 8, 6, 0, 0, 0))
	file = appendChunk(file, "acTL", u32(u32(nil, uint32(len(frames))), 0))
	if still != nil {
		file = appendChunk(file, "IDAT", idat(tb, still))
	}
	var sequence uint32
	for i, f := range frames {
		control := u32(nil, sequence)
		for _, n := range []int{f.im.Bounds().Dx(), f.im.Bounds().Dy(), f.at.X, f.at.Y} {
			control = u32(control, uint32(n))
		}
		file = appendChunk(file, "fcTL", append(control, 0, 1, 0, 10, f.dispose, f.blend))
		sequence++
		if i == 0 && still == nil {
			file = appendChunk(file, "IDAT", idat(tb, f.im))
			continue
		}
		file = appendChunk(file, "fdAT", append(u32(nil, sequence), idat(tb, f.im)...))
		sequence++
	}
	return appendChunk(file, "IEND", nil)
}

func plain(w, h int, c color.Color) image.Image {
	im := image.NewNRGBA(image.Rect(0, 0, w, h))
	draw.Draw(im, im.Rect, image.NewUniform(c), image.Point{}, draw.Src)
	return im
}

// renderings returns the pixels of each frame by index, in the picture's size.
func renderings(t *testing.T, file []byte, limits Limits) map[int][]byte {
	t.Helper()
	src, err := openSource(file, DefaultLimits(), 1)
	require.NoError(t, err)
	src.close()
	out := map[int][]byte{}
	for _, f := range decode(t, file, Request{Targets: []Target{whole(src.width, src.height)}, Limits: limits}).Frames {
		require.NotContains(t, out, f.Index)
		out[f.Index] = f.Views[0].Pixels[0]
	}
	return out
}

// Browsers show the only frame. Viewers without animation show the default image.
func TestHiddenDefaultImage(t *testing.T) {
	flag, innocent := drawing(64, 48), plain(64, 48, color.NRGBA{9, 200, 60, 255})
	file := makeAPNG(t, 64, 48, innocent, madeFrame{im: flag})
	res := decode(t, file, Request{Targets: []Target{whole(64, 48)}})
	require.Equal(t, []any{"png", 2, 2}, []any{res.Format, res.FrameCount, len(res.Frames)})
	require.Less(t, meanDifference(res.Frames[0].Views[0].Pixels[0], pixelsOf(flag)), 0.1)
	require.Less(t, meanDifference(res.Frames[1].Views[0].Pixels[0], pixelsOf(innocent)), 0.1)
}

func TestAPNGFramesBuildOnEachOther(t *testing.T) {
	const w, h = 40, 30
	red, half := color.NRGBA{200, 10, 10, 255}, color.NRGBA{0, 0, 250, 128}
	frames := []madeFrame{
		{im: drawing(w, h)},
		{at: image.Pt(7, 5), im: plain(20, 10, half), blend: blendOver, dispose: disposePrevious},
		{at: image.Pt(3, 3), im: plain(9, 9, red), blend: blendOver},
		{at: image.Pt(30, 20), im: plain(10, 10, half), dispose: disposeBackground},
		{at: image.Pt(0, 0), im: plain(5, 5, half), blend: blendOver},
	}
	shown := image.NewNRGBA(image.Rect(0, 0, w, h))
	got := renderings(t, makeAPNG(t, w, h, nil, frames...), Limits{})
	for i, f := range frames {
		before := converted(shown, image.NewNRGBA(shown.Rect)).(*image.NRGBA)
		place := f.im.Bounds().Add(f.at)
		op := draw.Src
		if f.blend == blendOver {
			op = draw.Over
		}
		draw.Draw(shown, place, f.im, image.Point{}, op)
		for number, page := range []color.Color{color.White, color.Black} {
			on := converted(image.NewUniform(page), image.NewNRGBA(shown.Rect))
			draw.Draw(on.(draw.Image), shown.Rect, shown, image.Point{}, draw.Over)
			if pix, ok := got[i+number*len(frames)]; ok || number == 0 {
				require.Less(t, meanDifference(pix, pixelsOf(on)), 0.6, "frame %d on %v", i, page)
			}
		}
		switch f.dispose {
		case disposePrevious:
			shown = before
		case disposeBackground:
			draw.Draw(shown, place, image.Transparent, image.Point{}, draw.Src)
		}
	}
	require.Contains(t, got, 3+len(frames), "half of a corner is seen through")
	require.NotContains(t, got, 0+len(frames))
}

func TestAPNGFramesAreSpread(t *testing.T) {
	var frames []madeFrame
	for i := range 100 {
		frames = append(frames, madeFrame{im: plain(8, 8, color.Gray{uint8(i)})})
	}
	got := renderings(t, makeAPNG(t, 8, 8, nil, frames...), Limits{MaxFrames: 4})
	require.Len(t, got, 4)
	for _, index := range []int{0, 33, 66, 99} {
		require.EqualValues(t, index, got[index][3*8*8-1])
	}
}

// A palette and its transparency belong to each frame.
func TestAPNGOfAPalette(t *testing.T) {
	im := image.NewPaletted(image.Rect(0, 0, 8, 8), color.Palette{color.NRGBA{1, 2, 3, 255}, color.NRGBA{200, 100, 50, 255}, color.NRGBA{9, 9, 9, 0}})
	for i := range im.Pix {
		im.Pix[i] = uint8(i % 2)
	}
	var file []byte
	for c := range pngChunks(encodePNG(t, im)) {
		switch {
		case file == nil:
			file = appendChunk(append([]byte(pngSignature), c.whole...), "acTL", []byte{0, 0, 0, 1, 0, 0, 0, 0})
			continue
		case c.kind == "IDAT":
			file = append(file, c.whole...)
			file = appendChunk(file, "fcTL", []byte{0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0})
			file = appendChunk(file, "fdAT", append([]byte{0, 0, 0, 1}, c.data...))
			continue
		}
		file = append(file, c.whole...)
	}
	require.Equal(t, pixelsOf(im), renderings(t, file, Limits{})[0])
}

func TestFaultyAnimations(t *testing.T) {
	frame := madeFrame{im: drawing(16, 16)}
	good := makeAPNG(t, 16, 16, drawing(16, 16), frame, frame)
	require.Len(t, decode(t, good, Request{}).Frames, 3)
	outside := frame
	outside.at = image.Pt(1, 0)

	swapped := func(old, new string) []byte {
		require.Contains(t, string(good), old)
		data := bytes.Replace(good, []byte(old), []byte(new), 1)
		at := bytes.Index(data, []byte(new))
		size := int(binary.BigEndian.Uint32(data[at-4:]))
		return append(appendChunk(data[:at-4:at-4], new[:4], data[at+4:at+4+size]), data[at+8+size:]...)
	}
	badSum := bytes.Clone(good)
	badSum[bytes.Index(badSum, []byte("fcTL"))+4+26]++
	for name, c := range map[string]struct {
		kind   error
		file   []byte
		limits Limits
	}{
		"a frame outside":       {ErrUndecodable, makeAPNG(t, 16, 16, nil, frame, outside), Limits{}},
		"a wrong checksum":      {ErrUndecodable, badSum, Limits{}},
		"more frames announced": {ErrUndecodable, swapped("acTL\x00\x00\x00\x02", "acTL\x00\x00\x00\x03"), Limits{}},
		"none announced":        {ErrUndecodable, swapped("acTL\x00\x00\x00\x02", "acTL\x00\x00\x00\x00"), Limits{}},
		"out of sequence":       {ErrUndecodable, swapped("fcTL\x00\x00\x00\x02", "fcTL\x00\x00\x00\x07"), Limits{}},
		"cut off":               {ErrUndecodable, good[:len(good)-40], Limits{}},
		"broken pixels":         {ErrUndecodable, swapped("fdAT\x00\x00\x00\x03\x78", "fdAT\x00\x00\x00\x03\x00"), Limits{}},
		"a large walk":          {ErrTooLarge, makeAPNG(t, 16, 16, nil, frame, frame, frame), Limits{MaxPixels: 16 * 16, MaxFrames: 2}},
		"many frames":           {ErrTooLarge, makeAPNG(t, 1, 1, nil, make1x1(maxListed+1)...), Limits{}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Decode(c.file, Request{Targets: []Target{clip}, Limits: c.limits})
			requireKind(t, c.kind, err)
		})
	}
}

func make1x1(n int) []madeFrame {
	frames := make([]madeFrame, n)
	for i := range frames {
		frames[i].im = image.NewGray(image.Rect(0, 0, 1, 1))
	}
	return frames
}

// A file that is not an animation by the specification is a still picture.
func TestControlChunksThatDoNotCount(t *testing.T) {
	im := drawing(16, 16)
	still := encodePNG(t, im)
	header := len(pngSignature) + 25
	end := bytes.Index(still, []byte("IEND")) - 4
	acTL := appendChunk(nil, "acTL", []byte{0, 0, 0, 2, 0, 0, 0, 0})
	none := appendChunk(nil, "acTL", []byte{0, 0, 0, 0, 0, 0, 0, 0})
	for name, file := range map[string][]byte{
		"after the pixels": append(append(still[:end:end], acTL...), still[end:]...),
		"no frames":        append(append(still[:header:header], none...), still[header:]...),
	} {
		_, err := png.Decode(bytes.NewReader(file))
		require.NoError(t, err)
		require.Equal(t, map[int][]byte{0: pixelsOf(im)}, renderings(t, file, Limits{}), name)
	}
}
