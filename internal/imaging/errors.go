package imaging

import (
	"errors"
	"fmt"
)

// Every error of Decode that the file causes wraps exactly one of these.
var (
	ErrUndecodable = errors.New("the picture cannot be decoded")
	ErrUnsupported = errors.New("not a picture format that is supported (JPEG, PNG, WebP, GIF, TIFF, BMP, HEIC, AVIF)")
	ErrTooLarge    = errors.New("the picture is too large")
)

// Limits bound the cost of one file. A zero field means its default.
type Limits struct {
	MaxBytes  int64 // of the file
	MaxPixels int64 // width times height of the picture, or of one frame of an animation
	MaxFrames int   // most frames of an animation that are rendered, spread over its length
}

// DefaultLimits returns 64 MiB, 50 megapixels and 8 frames.
func DefaultLimits() Limits {
	return Limits{MaxBytes: 64 << 20, MaxPixels: 50_000_000, MaxFrames: 8}
}

func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	if l.MaxBytes == 0 {
		l.MaxBytes = d.MaxBytes
	}
	if l.MaxPixels == 0 {
		l.MaxPixels = d.MaxPixels
	}
	if l.MaxFrames == 0 {
		l.MaxFrames = d.MaxFrames
	}
	return l
}

// maxSide exceeds the longest side of JPEG and WebP. The cost of a resize grows with the longer side, even if there are few
// pixels.
const maxSide = 100_000

// checkSize refuses a picture by the size in its header, before decoding.
func (l Limits) checkSize(width, height int) error {
	if width < 1 || height < 1 {
		return fmt.Errorf("%w: the header says %d x %d pixels", ErrUndecodable, width, height)
	}
	if max(width, height) > maxSide {
		return fmt.Errorf("%w: %d x %d pixels, the limit is %d for a side", ErrTooLarge, width, height, maxSide)
	}
	if pixels := int64(width) * int64(height); pixels > l.MaxPixels {
		return fmt.Errorf("%w: %d x %d is %d pixels, the limit is %d", ErrTooLarge, width, height, pixels, l.MaxPixels)
	}
	return nil
}

// checkWalk refuses an animation that is too long to decode. A frame builds on all earlier ones, so that all are decoded,
// rendered or not. Judging only the beginning would leave the rest unjudged.
func (l Limits) checkWalk(width, height, frames int) error {
	// libvips stacks all frames vertically and allows ten million rows.
	const maxRows = 10_000_000
	walked, allowed := int64(width)*int64(height)*int64(frames), l.MaxPixels*int64(l.MaxFrames)
	if walked > allowed || int64(height)*int64(frames) >= maxRows {
		return fmt.Errorf("%w: %d frames of %d x %d are %d pixels, the limit is %d and %d rows",
			ErrTooLarge, frames, width, height, walked, allowed, maxRows)
	}
	return nil
}

// maxListed bounds the frames of an animation of any size: three minutes of film. libvips walks all frames to read the
// header; 100,000 frames of one pixel take ten seconds.
const maxListed = 5000

func tooManyFrames(format string, frames int) error {
	return fmt.Errorf("%w: %s: %d frames, the limit is %d", ErrTooLarge, format, frames, maxListed)
}
