package imaging

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/image/tiff"
)

// pagesOf joins TIFF files to one with several pages, by moving their offsets.
func pagesOf(tb testing.TB, pages ...image.Image) []byte {
	order := binary.LittleEndian
	out := []byte("II*\x00\x00\x00\x00\x00")
	link := 4
	for _, im := range pages {
		var buf bytes.Buffer
		require.NoError(tb, tiff.Encode(&buf, im, nil))
		file, base := buf.Bytes(), uint32(len(out))
		at := order.Uint32(file[4:])
		n := uint32(order.Uint16(file[at:]))
		for i := range n {
			entry := file[at+2+12*i:]
			size := map[uint16]uint32{3: 2, 4: 4, 5: 8}[order.Uint16(entry[2:])] * order.Uint32(entry[4:])
			if order.Uint16(entry) == 273 || size > 4 { // the only strip, and values that do not fit
				order.PutUint32(entry[8:], order.Uint32(entry[8:])+base)
			}
		}
		order.PutUint32(out[link:], base+at)
		out = append(out, file...)
		link = int(base + at + 2 + 12*n)
	}
	return out
}

func TestPagesAreFrames(t *testing.T) {
	first, second := drawing(64, 48), image.NewGray(image.Rect(0, 0, 30, 50))
	for i := range second.Pix {
		second.Pix[i] = uint8(i % 251)
	}
	file := pagesOf(t, first, second)
	res := decode(t, file, Request{Targets: []Target{whole(64, 48), whole(30, 50)}})
	require.Equal(t, []int{64, 48, 2, 2}, []int{res.Width, res.Height, res.FrameCount, len(res.Frames)})
	require.Equal(t, pixelsOf(first), res.Frames[0].Views[0].Pixels[0])
	require.Equal(t, 1, res.Frames[1].Index)
	require.Equal(t, pixelsOf(second), res.Frames[1].Views[0].Pixels[1])

	var many []image.Image
	for i := range 20 {
		many = append(many, plain(9, 9, color.Gray{uint8(i)}))
	}
	got := renderings(t, pagesOf(t, many...), Limits{MaxFrames: 3})
	require.Len(t, got, 3)
	require.EqualValues(t, 19, got[19][0])
	require.Len(t, renderings(t, pagesOf(t, first, seeThrough(64, 48)), Limits{}), 3, "page 2 is seen through")
}

func TestFaultyPages(t *testing.T) {
	small := drawing(8, 8)
	lab := bytes.Clone(pagesOf(t, small))
	lab[bytes.Index(lab, []byte{6, 1, 3, 0, 1, 0, 0, 0})+8] = 9
	for name, c := range map[string]struct {
		kind   error
		file   []byte
		limits Limits
	}{
		"circle":          {ErrUndecodable, circleOf(t, small), Limits{}},
		"a large page":    {ErrTooLarge, pagesOf(t, small, drawing(50, 50)), Limits{MaxPixels: 100}},
		"a broken page":   {ErrUndecodable, pagesOf(t, small, drawing(50, 50))[:800], Limits{}},
		"Lab as ICC's":    {ErrUnsupported, lab, Limits{}},
		"too many pages":  {ErrTooLarge, emptyPages(maxListed + 1), Limits{}},
		"integers":        {ErrUnsupported, readFile(t, "testdata/signed.tif"), Limits{}},
		"floats to 255":   {ErrUnsupported, readFile(t, "testdata/float-255.tif"), Limits{}},
		"no page at all":  {ErrUndecodable, []byte("II*\x00\x00\x00\x00\x00"), Limits{}},
		"BigTIFF, no end": {ErrUndecodable, []byte("II+\x00\x08\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff"), Limits{}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Decode(c.file, Request{Targets: []Target{clip}, Limits: c.limits})
			requireKind(t, c.kind, err)
		})
	}
}

// circleOf returns a TIFF whose only page is its own successor.
func circleOf(tb testing.TB, im image.Image) []byte {
	file := pagesOf(tb, im)
	at := binary.LittleEndian.Uint32(file[4:])
	n := uint32(binary.LittleEndian.Uint16(file[at:]))
	binary.LittleEndian.PutUint32(file[at+2+12*n:], at)
	return file
}

// emptyPages returns n directories without entries.
func emptyPages(n int) []byte {
	file := []byte("II*\x00\x08\x00\x00\x00")
	for i := range n {
		file = binary.LittleEndian.AppendUint32(append(file, 0, 0), uint32(8+6*(i+1)))
	}
	return file
}

// The fixtures have the drawing of the other formats as CIELab and as floats from 0 to 1.
func TestSamplesOfTIFF(t *testing.T) {
	want := pixelsOf(fixture())
	lab := renderings(t, readFile(t, "testdata/lab.tif"), Limits{})
	require.Less(t, meanDifference(lab[0], want), 8.0)

	floats := renderings(t, readFile(t, "testdata/float.tif"), Limits{})
	require.Len(t, floats, 2)
	require.Less(t, meanDifference(floats[0], want), 0.1, "as stored")
	light := bytes.Clone(want)
	for i, v := range light {
		light[i] = uint8(255*srgbOf(float64(v)/255) + 0.5)
	}
	require.Less(t, meanDifference(floats[2], light), 1.0, "as light")

	grey := renderings(t, readFile(t, "testdata/float-grey.tif"), Limits{})
	require.Len(t, grey, 2)
	require.EqualValues(t, want[3*63], grey[0][3*63])
	require.InDelta(t, light[3*63], grey[2][3*63], 1)
}
