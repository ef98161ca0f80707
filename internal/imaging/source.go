package imaging

import (
	"fmt"
)

// source is a picture of which only the header was read.
type source struct {
	format        string
	data          []byte
	width, height int // of one frame, as stored
	orientation   int // EXIF, 1 to 8
	frames        int
	useProfile    bool // the embedded ICC profile is another than sRGB
}

// openSource sniffs data and holds its header against the limits.
func openSource(data []byte, limits Limits) (*source, error) {
	if len(data) == 0 {
		return nil, fmt.Errorf("%w: the file is empty", ErrUndecodable)
	}
	if int64(len(data)) > limits.MaxBytes {
		return nil, fmt.Errorf("%w: %d bytes, the limit is %d", ErrTooLarge, len(data), limits.MaxBytes)
	}
	format, ok := Sniff(data)
	if !ok {
		return nil, fmt.Errorf("%w: the file begins with %q", ErrUnsupported, data[:min(len(data), 12)])
	}
	s := &source{format: format, data: data, orientation: 1, frames: 1}
	if format == formatBMP {
		return s, s.readBMPHeader(limits)
	}
	if format == formatPNG && isAnimatedPNG(data) {
		return nil, fmt.Errorf("%w: an animated PNG, of which only the first frame could be judged", ErrUnsupported)
	}
	return s, s.readHeader(limits)
}

func (s *source) readHeader(limits Limits) error {
	head, err := open(s.format, s.data, 1, 1, false)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrUndecodable, s.format, err)
	}
	defer head.close()
	s.width, s.height, s.orientation = head.width(), head.height(), head.orientation()
	if err := limits.checkSize(s.width, s.height); err != nil {
		return err
	}
	if s.format == formatGIF || s.format == formatWebP {
		s.frames = head.pages()
		if s.frames > 1 && limits.MaxFrames > 1 {
			if err := limits.checkWalk(s.width, s.height, s.frames); err != nil {
				return err
			}
		}
	}
	profile := head.profile()
	s.useProfile = profile != nil && !isSRGB(profile)
	return nil
}

// canvas is one decoded frame: upright, 8-bit sRGB over white, row-major, width*height*3 bytes.
type canvas struct {
	pix                   []byte
	width, height         int
	fullWidth, fullHeight int // of the upright picture; more than the above when it was shrunk while decoding
}

func (c *canvas) reduced() bool { return c.width < c.fullWidth }

// full returns the size of a part of the canvas in pixels of the picture. Geometry is reckoned
// in those: from a shrunk canvas, whose sides were rounded, crops would come out a pixel aside.
func (c *canvas) full(r rect) (w, h int) {
	w = (r.width*c.fullWidth + c.width/2) / c.width
	h = (r.height*c.fullHeight + c.height/2) / c.height
	return w, h
}

// canvases decodes the frames with the given indices, in ascending order, one after the other
// and in one pass over the file, and hands each to visit. No canvas is shrunk to a shorter
// side of less than need.
func (s *source) canvases(indices []int, need int, visit func(index int, c *canvas) error) error {
	in, err := s.openPixels(need, len(indices) > 1)
	if err != nil {
		return err
	}
	defer in.close()
	frameHeight := in.height()
	if len(indices) > 1 {
		frameHeight = s.height // all frames lie below each other
	}
	for _, index := range indices {
		c, err := s.canvas(in, index*frameHeight, frameHeight, need)
		if err != nil {
			return err
		}
		if err := visit(index, c); err != nil {
			return err
		}
	}
	return nil
}

// roomy is how many times need an averaging shrink leaves. Fine patterns (dither, nets) survive
// libjpeg's shrinking well and an average of few pixels badly.
const roomy = 2

// openPixels opens the picture for decoding, shrunk by the codec where it can do that.
func (s *source) openPixels(need int, animated bool) (*handle, error) {
	short, shrink, scale := min(s.width, s.height), 1, 1.0
	switch {
	case s.format == formatBMP:
		return s.openBMP()
	case s.format == formatJPEG:
		for shrink < 8 && short/(2*shrink) >= need {
			shrink *= 2
		}
	case s.format == formatWebP && !animated:
		scale = min(1, float64(roomy*need)/float64(short))
	}
	return open(s.format, s.data, shrink, scale, animated)
}

// canvas computes the rows [top, top+height) of in as one frame.
func (s *source) canvas(in *handle, top, height, need int) (*canvas, error) {
	shrink := max(1, min(in.width(), height)/(roomy*need))
	rgb, err := in.rgb(top, height, s.useProfile, shrink)
	if err != nil {
		return nil, err
	}
	defer rgb.close()
	pix, err := rgb.pixels()
	if err != nil {
		return nil, err
	}
	c := &canvas{pix: pix, width: rgb.width(), height: rgb.height(), fullWidth: s.width, fullHeight: s.height}
	if s.orientation == 1 {
		return c, nil
	}
	return c.turned(s.orientation)
}

// turned applies an EXIF orientation.
func (c *canvas) turned(orientation int) (*canvas, error) {
	stored, err := wrap(c.pix, c.width, c.height, 3)
	if err != nil {
		return nil, err
	}
	defer stored.close()
	upright, err := stored.part(rect{0, 0, c.width, c.height}, orientation)
	if err != nil {
		return nil, err
	}
	defer upright.close()
	pix, err := upright.pixels()
	t := &canvas{pix: pix, width: upright.width(), height: upright.height(), fullWidth: c.fullWidth, fullHeight: c.fullHeight}
	if isQuarterTurn(orientation) {
		t.fullWidth, t.fullHeight = c.fullHeight, c.fullWidth
	}
	return t, err
}

// isQuarterTurn tells the EXIF orientations that swap width and height.
func isQuarterTurn(orientation int) bool { return orientation >= 5 }
