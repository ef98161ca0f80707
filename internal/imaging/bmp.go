package imaging

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/draw"

	"golang.org/x/image/bmp"
)

// BMP is decoded in Go: libvips would hand it to ImageMagick, which is not let near uploads.

func (s *source) readBMPHeader(limits Limits) error {
	head, err := bmp.DecodeConfig(bytes.NewReader(s.data))
	if errors.Is(err, bmp.ErrUnsupported) {
		return fmt.Errorf("%w: a rare kind of BMP: %w", ErrUnsupported, err)
	}
	if err != nil {
		return fmt.Errorf("%w: bmp: %w", ErrUndecodable, err)
	}
	s.width, s.height = head.Width, head.Height
	return limits.checkSize(s.width, s.height)
}

func (s *source) openBMP() (*handle, error) {
	decoded, err := bmp.Decode(bytes.NewReader(s.data))
	if err != nil {
		return nil, err
	}
	if straight, ok := decoded.(*image.NRGBA); ok {
		return wrapRGBA(straight.Pix, s.width, s.height)
	}
	rgba, ok := decoded.(*image.RGBA)
	if !ok { // a palette, which has no alpha in BMP
		rgba = image.NewRGBA(decoded.Bounds())
		draw.Draw(rgba, rgba.Rect, decoded, decoded.Bounds().Min, draw.Src)
	}
	return wrapRGBA(rgba.Pix, s.width, s.height)
}
