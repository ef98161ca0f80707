package classics

import (
	"bytes"
	_ "embed"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// The picture small, encoded by libvips: Go has no encoders for these formats.
var (
	//go:embed small/small.webp
	smallWebP []byte
	//go:embed small/small.avif
	smallAVIF []byte
	//go:embed small/small.heic
	smallHEIC []byte
)

// small is a picture of 16 x 12 pixels in many colours.
func small() image.Image {
	im := image.NewRGBA(image.Rect(0, 0, 16, 12))
	for y := range 12 {
		for x := range 16 {
			im.SetRGBA(x, y, color.RGBA{uint8(15*x + 20), uint8(15*y + 20), uint8(15*x + 20), 255})
		}
	}
	return im
}

// valid is small in each format that is decoded.
func valid() []File {
	return []File{
		{"small.jpg", smallJPEG()},
		{"small.png", smallPNG()},
		{"small.gif", smallGIF()},
		{"small.tif", smallTIFF()},
		{"small.bmp", encoded(func(b *bytes.Buffer) error { return bmp.Encode(b, small()) })},
		{"small.webp", smallWebP},
		{"small.avif", smallAVIF},
		{"small.heic", smallHEIC},
	}
}

func smallJPEG() []byte {
	return encoded(func(b *bytes.Buffer) error { return jpeg.Encode(b, small(), nil) })
}

func smallPNG() []byte { return encoded(func(b *bytes.Buffer) error { return png.Encode(b, small()) }) }

func smallGIF() []byte {
	return encoded(func(b *bytes.Buffer) error { return gif.Encode(b, small(), &gif.Options{NumColors: 16}) })
}

func smallTIFF() []byte {
	return encoded(func(b *bytes.Buffer) error { return tiff.Encode(b, small(), nil) })
}

// encoded panics if an encoder of Go fails on 16 x 12 pixels.
func encoded(encode func(*bytes.Buffer) error) []byte {
	var b bytes.Buffer
	if err := encode(&b); err != nil {
		panic(err)
	}
	return b.Bytes()
}
