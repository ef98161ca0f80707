package imaging

import (
	"errors"
	"fmt"
)

// source is a picture whose header was read.
type source struct {
	format        string
	data          []byte
	width, height int // of one frame, as stored
	orientation   orientation
	frames        int
	looks         []look // the first is by the ICC profile, if there is one
	plain         bool   // a JPEG of one or three components in sRGB, for which libjpeg is enough
	animation     *apng  // nil unless the file is an animated PNG
	bitmap        *bitmap
	pages         map[int]*source // the rendered pages of a TIFF with several

	// The handle that read the header, until it is used for the pixels.
	opened *handle
	how    opening
}

// openSource sniffs data and checks its header against the limits. need should be that of the later canvases, which else
// cost more. The caller closes the source.
func openSource(data []byte, limits Limits, need int) (*source, error) {
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
	s := &source{format: format, data: data, orientation: orientationUpright, frames: 1, looks: []look{{}}}
	if err := s.survey(); err != nil {
		return nil, err
	}
	if format == formatBMP {
		return s, limits.checkSize(s.width, s.height)
	}
	if s.plain { // libvips would spend a twentieth of a small picture's time on the header
		return s, limits.checkSize(s.width, s.height)
	}
	err := s.readHeader(limits, need)
	if err == nil && format == formatTIFF && s.frames > 1 {
		err = s.readPages(limits, need)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *source) close() {
	if s.opened != nil {
		s.opened.close()
		s.opened = nil
	}
	for _, page := range s.pages {
		page.close()
	}
}

// survey refuses files, by their outline, that would take libvips too much time or that it would show only in part.
func (s *source) survey() (err error) {
	switch s.format {
	case formatJPEG:
		outline := outlineJPEG(s.data)
		if outline.scans > maxScans {
			return fmt.Errorf("%w: jpeg: %d scans, the limit is %d", ErrTooLarge, outline.scans, maxScans)
		}
		s.width, s.height = outline.width, outline.height // so that the first handle already shrinks
		s.plain = outline.bare()
	case formatPNG:
		outline := outlinePNG(s.data)
		s.looks = append(s.looks, outline.colours.looks()...)
		if s.animation, err = outline.animation(); s.animation != nil {
			s.frames = s.animation.frameCount()
		}
		return err
	case formatBMP:
		return s.readBitmap()
	case formatTIFF:
		s.frames, err = countPages(s.data)
		return err
	case formatHEIC, formatAVIF:
		if hasMovie(s.data) {
			return fmt.Errorf("%w: %s: an image sequence, which some viewers play instead of the still picture", ErrUnsupported, s.format)
		}
	case formatGIF:
		frames, whole := walkGIF(s.data)
		if frames > maxListed {
			return tooManyFrames(s.format, frames)
		}
		if !whole {
			return fmt.Errorf("%w: gif: the file is truncated after %d frames", ErrUndecodable, frames)
		}
		s.frames = frames
	case formatWebP:
		if frames := countWebPFrames(s.data); frames > maxListed {
			return tooManyFrames(s.format, frames)
		}
	}
	return nil
}

func (s *source) readHeader(limits Limits, need int) (err error) {
	s.how = opening{shrink: s.jpegShrink(need), scale: 1, page: s.how.page}
	s.opened, err = open(s.format, s.data, s.how)
	if fault := pngHeaderFault(s.data); s.format == formatPNG && errors.Is(err, errNoReason) && fault != "" {
		err = errors.New(fault)
	}
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrUndecodable, s.format, err)
	}
	head := s.opened
	if s.how.shrink == 1 {
		s.width, s.height = head.width(), head.height()
	}
	s.orientation = head.orientation()
	if err := limits.checkSize(s.width, s.height); err != nil {
		return err
	}
	if s.format == formatGIF || s.format == formatWebP {
		if s.frames > head.pages() {
			return fmt.Errorf("%w: %s: only %d of its %d frames can be read", ErrUndecodable, s.format, head.pages(), s.frames)
		}
		s.frames = head.pages()
	}
	if s.frames > 1 && s.format != formatTIFF && limits.MaxFrames > 1 {
		if err := limits.checkWalk(s.width, s.height, s.frames); err != nil {
			return err
		}
	}
	if profile := head.profile(); profile != nil && !isSRGB(profile) {
		s.looks[0].profile = profile
	}
	s.plain = s.format == formatJPEG && head.bands() <= 3 && s.looks[0].profile == nil
	return s.checkSamples()
}

// checkSamples refuses samples that viewers show differently. It gives float samples the two looks that are in use.
func (s *source) checkSamples() error {
	floats, err := s.opened.checkSamples()
	if floats {
		s.opened.close()
		s.opened = nil
		s.looks = append(s.looks, look{space: linearSpace()})
	}
	if err != nil {
		return fmt.Errorf("%s: %w", s.format, err)
	}
	return nil
}

// jpegShrink returns the factor by which libjpeg may shrink the picture; 1 for other formats. Sides that it divides, as of
// cameras and films (4032 x 3024, 1280 x 720), may become a little shorter than need. Other sides would lose up to a pixel,
// which shifts all others.
func (s *source) jpegShrink(need int) int {
	shrink := 1
	if s.format == formatJPEG {
		for by := 2; by <= 8; by *= 2 {
			least := need
			if s.width%by == 0 && s.height%by == 0 {
				least = need * 15 / 16
			}
			if min(s.width, s.height)/by >= least {
				shrink = by
			}
		}
	}
	return shrink
}

// canvases decodes the frames at the ascending indices in one pass over the file, and passes each to visit, which must not
// keep it. A canvas's shorter side is at least need, unless the picture is smaller. Luma and chroma of a JPEG may be
// separate if apart is not 0 and chroma has at least apart samples a side.
//
// A frame with several looks or backgrounds is passed once for each. The index of each rendering after the first is higher
// by the number of frames.
func (s *source) canvases(indices []int, need, apart int, visit func(index int, c *canvas) error) error {
	if s.pages != nil {
		return s.pageCanvases(indices, need, visit)
	}
	lend := func(index int, c *canvas) error {
		c = s.upright(c)
		defer c.release()
		return visit(index, c)
	}
	if by := s.jpegShrink(need); s.plain && averaging(s.width/by, s.height/by, need) == 1 {
		if s.orientation != orientationUpright {
			apart = 0
		}
		c, err := decodeJPEG(s.data, by, apart, s.width/by, s.height/by)
		if err != nil {
			return err
		}
		return lend(0, c)
	}
	for number, l := range s.looks {
		err := s.walk(indices, need, l, func(index int, in *handle, top, height int) error {
			white, black, err := s.pixels(in, top, height, need, l)
			if err != nil {
				return err
			}
			index += number * backgrounds * s.frames
			if err := lend(index, newCanvas(white)); err != nil || black.pix == nil {
				return err
			}
			return lend(index+s.frames, newCanvas(black))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// walk visits the frames in order. Each is the rows [top, top+height) of in.
func (s *source) walk(indices []int, need int, l look, visit func(index int, in *handle, top, height int) error) error {
	if s.animation != nil {
		return s.animation.play(indices, s.width, s.height, func(index int, in *handle) error { return visit(index, in, 0, s.height) })
	}
	in, err := s.openPixels(need, len(indices) > 1, l)
	if err != nil {
		return err
	}
	defer in.close()
	if len(indices) == 1 {
		return visit(indices[0], in, 0, in.height())
	}
	for _, index := range indices {
		if err := visit(index, in, index*s.height, s.height); err != nil { // frames are stacked vertically
			return err
		}
	}
	return nil
}

func newCanvas(p plane) *canvas { return &canvas{pixels: p, width: p.width, height: p.height} }

// roomy times need is the least shorter side after an averaging shrink. Fine patterns (dither, nets) survive libjpeg's
// shrinking, but not an average of few pixels.
const roomy = 2

// averaging returns the factor of an averaging shrink of w x h pixels.
func averaging(w, h, need int) int { return max(1, min(w, h)/(roomy*need)) }

// openPixels opens the picture for decoding. The codec shrinks it if it can.
func (s *source) openPixels(need int, animated bool, l look) (*handle, error) {
	if s.format == formatBMP {
		return s.openBitmap(l)
	}
	how := opening{shrink: s.jpegShrink(need), scale: 1, allPages: animated, page: s.how.page}
	if s.format == formatWebP && !animated {
		how.scale = min(1, float64(roomy*need)/float64(min(s.width, s.height)))
	}
	if opened := s.opened; opened != nil && how == s.how {
		s.opened = nil
		return opened, nil
	}
	return open(s.format, s.data, how)
}

// upright turns a canvas by the stored orientation, and takes ownership of it.
func (s *source) upright(c *canvas) *canvas {
	if s.orientation != orientationUpright {
		turned := c.pixels.turned(s.orientation)
		c.release()
		c = newCanvas(turned)
	}
	c.fullWidth, c.fullHeight = s.orientation.size(s.width, s.height)
	return c
}

// pixels computes the rows [top, top+height) of in, shrunk further by averaging, over white and, if it differs, over black.
func (s *source) pixels(in *handle, top, height, need int, l look) (white, black plane, err error) {
	rgb, err := in.rgb(top, height, l, averaging(in.width(), height, need))
	if err != nil {
		return plane{}, plane{}, err
	}
	defer rgb.close()
	p, err := rgb.pixels()
	if err != nil || p.bands == 3 {
		return p, plane{}, err
	}
	white, black = p.onBackgrounds()
	return white, black, nil
}
