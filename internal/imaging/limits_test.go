package imaging

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"moderator/internal/testenv"
	"moderator/tools/hostile/classics"

	"github.com/stretchr/testify/require"
)

// requireKind asserts that err wraps kind and no other kind.
func requireKind(t *testing.T, kind, err error) {
	t.Helper()
	require.Error(t, err)
	for _, k := range []error{ErrUndecodable, ErrUnsupported, ErrTooLarge} {
		require.Equal(t, k == kind, errors.Is(err, k), "%v", err)
	}
	require.NotContains(t, err.Error(), "\n")
}

func TestUnsupported(t *testing.T) {
	files := map[string][]byte{
		"svg":           []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>`),
		"pdf":           []byte("%PDF-1.7\n"),
		"text":          []byte("BM is how this text begins, like a BMP"),
		"one byte":      {0xff},
		"mp4":           []byte("\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"),
		"avif sequence": []byte("\x00\x00\x00\x18ftypavis\x00\x00\x00\x00avifavis"),
		"jxl":           []byte("\xff\x0a\xfa\x7f\x01\x00\x00\x00\x00\x00\x00\x00"),
		"jxl in a box":  []byte("\x00\x00\x00\x0cJXL \r\n\x87\n\x00\x00\x00\x14ftypjxl "),
		"magick":        []byte("id=ImageMagick  version=1.0\n"),
		"bmp of a png":  bmpHeader(40, 8, 8, 32, 5),
	}
	for name, file := range files {
		t.Run(name, func(t *testing.T) {
			_, err := Decode(file, Request{})
			requireKind(t, ErrUnsupported, err)
		})
	}
}

func bmpHeader(size, w, h, depth, compression uint32) []byte {
	file := append([]byte("BM"), make([]byte, 12)...)
	for _, field := range []uint32{size, w, h, depth<<16 | 1, compression} {
		file = binary.LittleEndian.AppendUint32(file, field)
	}
	binary.LittleEndian.PutUint32(file[10:], 14+size) // no palette
	return append(file, make([]byte, 20+1024)...)
}

func TestUndecodable(t *testing.T) {
	im := drawing(200, 150)
	jpg, pic, anim := encodeJPEG(t, im), encodePNG(t, im), animatedGIF(t, 20, 20, 9)
	heic, avif := readFile(t, "testdata/still.heic"), readFile(t, "testdata/still.avif")
	webp := readFile(t, "testdata/still.webp")
	for name, file := range map[string][]byte{
		"empty": nil, "magic only": []byte("\xff\xd8\xff\xe0"),
		"jpeg cut in half": jpg[:len(jpg)/2], "jpeg without its last bytes": jpg[:len(jpg)-8],
		"png cut in half": pic[:len(pic)/2], "gif cut in half": anim[:len(anim)/2],
		"webp cut": webp[:len(webp)-20], "heic cut": heic[:len(heic)-40], "avif cut": avif[:len(avif)-40],
		"bmp cut": bmpHeader(40, 64, 64, 24, 0),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Decode(file, Request{Targets: []Target{clip}})
			requireKind(t, ErrUndecodable, err)
		})
	}
}

// Faults that viewers ignore are ignored too.
func TestIgnoredFaults(t *testing.T) {
	jpg, anim := encodeJPEG(t, drawing(200, 150)), animatedGIF(t, 20, 20, 9)
	table := bytes.Index(jpg, []byte{0xff, 0xc4})
	garbage := append(append(jpg[:table:table], "stray"...), jpg[table:]...)
	for name, file := range map[string][]byte{
		"jpeg with stray bytes": garbage, "jpeg with a tail": append(jpg[:len(jpg):len(jpg)], "tail"...),
		"gif without its trailer": anim[:len(anim)-1],
		"jpeg whose profile is broken": append(append(jpg[:2:2],
			"\xff\xe2\x00\x14ICC_PROFILE\x00\x01\x01oops"...), jpg[2:]...),
	} {
		t.Run(name, func(t *testing.T) {
			decode(t, file, Request{Targets: []Target{clip}})
		})
	}
}

func TestTooLarge(t *testing.T) {
	small := encodePNG(t, drawing(64, 64))
	progressive := readFile(t, "testdata/progressive.jpg")
	last, end := bytes.LastIndex(progressive, []byte{0xff, 0xda}), len(progressive)-2
	scans := bytes.Clone(progressive[:end])
	for range maxScans {
		scans = append(scans, progressive[last:end]...)
	}
	scans = append(scans, 0xff, 0xd9)
	// The component's number and its table's look like the end of the file.
	hidden := "\xff\xd8\xff\xc2\x00\x0b\x08\x00\x40\x00\x40\x01\xff\x11\x00" + strings.Repeat("\xff\xda\x00\x08\x01\xff\xd9\x00\x00\x10\x7f", maxScans+1) + "\xff\xd9"

	for name, c := range map[string]struct {
		file   []byte
		limits Limits
	}{
		"bytes":               {small, Limits{MaxBytes: 100}},
		"pixels":              {small, Limits{MaxPixels: 64*64 - 1}},
		"a side":              {encodePNG(t, image.NewGray(image.Rect(0, 0, maxSide+1, 1))), Limits{}},
		"png bomb":            {pngOf(50_000, 50_000), Limits{}},
		"bmp bomb":            {bmpHeader(40, 50_000, 50_000, 24, 0), Limits{}},
		"gif of a large walk": {animatedGIF(t, 20, 20, 90), Limits{MaxPixels: 20 * 20, MaxFrames: 8}},
		"jpeg of many scans":  {scans, Limits{}},
		"jpeg of hidden ones": {[]byte(hidden), Limits{}},
		"webp of many frames": {classics.AnimatedWebP(1, 1, maxListed+1), Limits{}},
		"gif of many frames":  {animatedGIF(t, 1, 1, maxListed+1), Limits{}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Decode(c.file, Request{Targets: []Target{clip}, Limits: c.limits})
			requireKind(t, ErrTooLarge, err)
		})
	}
}

// A file that claims many pixels and has few fails quickly.
func TestBombWithinLimits(t *testing.T) {
	_, err := Decode(pngOf(7000, 7000), Request{Targets: []Target{clip}})
	requireKind(t, ErrUndecodable, err)
}

// pngOf returns a PNG with a header of w x h and hardly a row of pixels.
func pngOf(w, h uint32) []byte {
	header := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)
	file := encodePNG(nil, image.NewGray(image.Rect(0, 0, 4, 4)))
	at := bytes.Index(file, []byte("IDAT"))
	return append(append([]byte("\x89PNG\r\n\x1a\n"), appendChunk(nil, "IHDR", append(header, 8, 0, 0, 0, 0))...), file[at-4:]...)
}

func TestInvalidRequests(t *testing.T) {
	file := encodePNG(t, drawing(8, 8))
	for name, req := range map[string]Request{
		"view":               {Views: []View{"upside-down"}},
		"kernel":             {Targets: []Target{{ResizeWidth: 8, ResizeHeight: 8, Kernel: "box"}}},
		"no size":            {Targets: []Target{{}}},
		"no crop":            {Targets: []Target{{ShortestEdge: 224}}},
		"crop larger":        {Targets: []Target{{ShortestEdge: 224, CropWidth: 256, CropHeight: 256}}},
		"half a crop":        {Targets: []Target{{ShortestEdge: 224, CropWidth: 224}}},
		"negative frames":    {Limits: Limits{MaxFrames: -1}},
		"absurdly large":     {Targets: []Target{whole(100_000, 8)}},
		"negative dimension": {Targets: []Target{whole(-8, 8)}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Decode(file, req)
			requireKind(t, nil, err)
		})
	}
}

// With fuzzers' files, the process survives, and every error has its kind.
func TestMalformed(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(testenv.Data(t), "malformed", "*"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, name := range files {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		res, err := Decode(data, Request{Targets: []Target{clip}, Views: allViews, Gray: true})
		if err != nil {
			require.True(t, errors.Is(err, ErrUndecodable) || errors.Is(err, ErrUnsupported) || errors.Is(err, ErrTooLarge), "%s: %v", name, err)
			continue
		}
		require.NotEmpty(t, res.Frames, name)
	}
}

// A PNG that libvips refuses without a message gets one.
func TestBrokenPNGHeaders(t *testing.T) {
	header := func(depth, colour, interlace byte) []byte {
		return []byte{0, 0, 0, 8, 0, 0, 0, 8, depth, colour, 0, 0, interlace}
	}
	file := func(ihdr []byte) []byte {
		return append([]byte("\x89PNG\r\n\x1a\n"), appendChunk(nil, "IHDR", ihdr)...)
	}
	sum := file(header(8, 0, 0))
	sum[len(sum)-1]++
	for want, data := range map[string][]byte{
		"the header says 7 bits of colour type 0":                   file(header(7, 0, 0)),
		"the header says 8 bits of colour type 5":                   file(header(8, 5, 0)),
		"the header says compression 0, filter 0, interlacing 2":    file(header(8, 0, 2)),
		"the header says 0 x 8 pixels":                              file(append(make([]byte, 4), header(8, 0, 0)[4:]...)),
		"the header's checksum is wrong":                            sum,
		"the file ends in its header":                               sum[:20],
		"the first chunk is \"IHDR\" of 9 bytes, wanted IHDR of 13": append(file(header(8, 0, 0)[:9]), make([]byte, 9)...),
		"": file(header(16, 6, 1)),
	} {
		require.Equal(t, want, pngHeaderFault(data))
	}
}
