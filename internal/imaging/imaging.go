// Package imaging decodes picture files to the inputs of models and of PDQ: upright 8-bit sRGB over white (and over black
// if that differs), resized and cropped.
//
// It decodes hostile files with C libraries in this process. Limits bound bytes, pixels and frames. Only a process of its
// own (package sandbox) protects against faults in a codec.
package imaging

import (
	"fmt"
	"slices"
)

// Request says what to decode from a picture.
type Request struct {
	Targets []Target
	Views   []View // nil: only the original
	Gray    bool   // also PDQ's input of each view
	Limits  Limits
	Into    []byte `json:"-"` // memory for the pixels, filled in the order of the result; what does not fit is allocated
}

// room returns memory for n bytes of the result.
func (r *Request) room(n int) []byte {
	if n > len(r.Into) {
		r.Into = nil
		return make([]byte, n)
	}
	room := r.Into[:n:n]
	r.Into = r.Into[n:]
	return room
}

// Result is a decoded picture.
type Result struct {
	Format        string  // "jpeg", "png", "webp", "gif", "tiff", "bmp", "heic", "avif"
	Width, Height int     // upright, in pixels
	FrameCount    int     // of the file, including pages and an APNG's default image
	Frames        []Frame // at most Limits.MaxFrames times MaxRenderings
}

// Frame is one rendering of the picture, or of one frame of an animation.
type Frame struct {
	Index int        // of the frame, from 0; each further look or background of a frame adds FrameCount
	Views []Rendered // in the order of Request.Views; "trimmed" is missing if there is nothing to trim
}

// Rendered is one view of one frame.
type Rendered struct {
	View   View
	Pixels [][]byte // for each target 8-bit RGB, row-major, height*width*3 bytes
	Gray   *Gray    // nil unless requested
}

// Decode renders the views of a picture for the targets. It is safe for concurrent use. One call uses one core, and holds
// about the decoded picture (3 bytes for each pixel of Limits.MaxPixels) plus the codec's own memory.
//
// An error that the file causes wraps exactly one of ErrUndecodable, ErrUnsupported and ErrTooLarge. Other errors are the
// caller's (an invalid Request) or the installation's.
func Decode(data []byte, req Request) (*Result, error) {
	if err := Start(); err != nil {
		return nil, fmt.Errorf("start libvips: %w", err)
	}
	if err := req.complete(); err != nil {
		return nil, err
	}
	src, err := openSource(data, req.Limits, req.need())
	if err != nil {
		return nil, err
	}
	defer src.close()

	res := &Result{Format: src.format, FrameCount: src.frames}
	res.Width, res.Height = src.orientation.size(src.width, src.height)
	indices := spread(src.frames, req.Limits.MaxFrames)
	err = src.canvases(indices, req.need(), req.edge(), func(index int, c *canvas) error {
		views, err := req.render(src, c)
		res.Frames = append(res.Frames, Frame{Index: index, Views: views})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrUndecodable, src.format, err)
	}
	return res, nil
}

// complete sets defaults and validates the request.
func (r *Request) complete() error {
	r.Limits = r.Limits.withDefaults()
	if r.Limits.MaxBytes < 0 || r.Limits.MaxPixels < 0 || r.Limits.MaxFrames < 0 {
		return fmt.Errorf("limits %+v: wanted positive numbers", r.Limits)
	}
	if len(r.Views) == 0 {
		r.Views = []View{ViewOriginal}
	}
	for _, v := range r.Views {
		if !slices.Contains(allViews, v) {
			return fmt.Errorf("unknown view %q, wanted one of %q", v, allViews)
		}
	}
	for _, t := range r.Targets {
		if err := t.Validate(); err != nil {
			return err
		}
	}
	return nil
}

// edge returns the longest side to which a target resizes.
func (r *Request) edge() int {
	edge := 0
	for _, t := range r.Targets {
		edge = max(edge, t.edge())
	}
	return edge
}

// need returns the least shorter side of a shrunk canvas: 12/7 of the target (384 for 224), so that a cubic resize gives the
// same result as from the full picture, and at least grayNeed with a gray plane.
func (r *Request) need() int {
	need := max(1, r.edge()*12/7)
	if r.Gray {
		need = max(need, grayNeed)
	}
	return need
}

// sharp returns the least shorter side of a part of a shrunk canvas that is resized without decoding again.
func (r *Request) sharp() int { return r.edge() * 5 / 4 }

// spread picks at most limit of n frames at even distances, including the first and the last.
func spread(n, limit int) []int {
	if limit == 1 {
		n = 1
	}
	count := min(n, limit)
	indices := make([]int, count)
	for i := range indices {
		if i > 0 {
			indices[i] = (i*(n-1) + (count-1)/2) / (count - 1)
		}
	}
	return indices
}
