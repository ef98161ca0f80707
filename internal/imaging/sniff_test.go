package imaging

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSniff(t *testing.T) {
	for file, want := range map[string]string{
		"\xff\xd8\xff\xe1":         "jpeg",
		"\x89PNG\r\n\x1a\n":        "png",
		"GIF87a":                   "gif",
		"RIFF\x00\x00\x00\x00WEBP": "webp",
		"RIFF\x00\x00\x00\x00WAVE": "",
		"II*\x00":                  "tiff",
		"MM\x00+":                  "tiff",
		"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1":   "heic",
		"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1":   "",
		"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00avif":   "avif",
		"\x00\x00\x00\x14ftypmif1\x00\x00\x00\x00mif1av": "",
		"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00avif":   "",
		"\x00\x00\x00\x08ftypheic\x00\x00\x00\x00":       "",
		"": "",
	} {
		got, ok := Sniff([]byte(file))
		require.Equal(t, want, got, "%q", file)
		require.Equal(t, want != "", ok, "%q", file)
	}
}

func seeds(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(encodePNG(f, drawing(9, 7)))
	f.Add(encodeJPEG(f, drawing(17, 9)))
	f.Add(animatedGIF(f, 5, 4, 3))
	f.Add(bmpHeader(40, 4, 4, 24, 0))
	f.Add(makeAPNG(f, 9, 7, drawing(9, 7), madeFrame{im: drawing(9, 7)}))
	f.Add(pagesOf(f, drawing(9, 7), drawing(5, 4)))
	for _, name := range []string{"still.avif", "still.heic", "still.webp", "animated.webp", "progressive.jpg", "alpha.avif", "alpha.webp", "lab.tif", "float.tif"} {
		f.Add(readFile(f, "testdata/"+name))
	}
}

func FuzzSniff(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		if format, ok := Sniff(data); ok != (format != "") {
			t.Fatalf("format %q, ok %t", format, ok)
		}
		outlineJPEG(data)
		walkGIF(data)
		outline := outlinePNG(data)
		_, _ = outline.animation()
		outline.colours.looks()
		hasMovie(data)
		if len(data) > 0 {
			_, _ = countPages(data)
		}
		isSRGB(data)
	})
}

// isFault reports whether the file caused the error.
func isFault(err error) bool {
	return errors.Is(err, ErrUndecodable) || errors.Is(err, ErrUnsupported) || errors.Is(err, ErrTooLarge)
}

func FuzzDecode(f *testing.F) {
	seeds(f)
	req := Request{
		Targets: []Target{{ShortestEdge: 32, CropWidth: 32, CropHeight: 24}, whole(16, 16)},
		Views:   allViews, Gray: true, Limits: Limits{MaxPixels: 1 << 20, MaxFrames: 3},
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		res, err := Decode(data, req)
		if err != nil {
			if !isFault(err) {
				t.Fatalf("an error of no kind: %v", err)
			}
			return
		}
		for _, frame := range res.Frames {
			for _, v := range frame.Views {
				if len(v.Pixels[0]) != 32*24*3 || len(v.Pixels[1]) != 16*16*3 || v.Gray == nil {
					t.Fatalf("view %s has the wrong size", v.View)
				}
			}
		}
	})
}
