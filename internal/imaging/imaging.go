// Package imaging turns the bytes of a picture into the pixels that models and PDQ take:
// sniffed, bounded, upright, sRGB, over white (and over black where that differs), resized and cropped by libvips.
//
// It decodes hostile files with C libraries in this process. Limits bound bytes, pixels and
// frames; against faults in a codec only a process of its own helps.
package imaging

import (
	"fmt"
	"slices"
)

// Request says what to make of a picture.
type Request struct {
	Targets []Target
	Views   []View // nil: only the original
	Gray    bool   // also each view's input of PDQ
	Limits  Limits
	Into    []byte `json:"-"` // where the pixels go, one after the other in the order of the result, and into new memory from where they do not fit
}

// room is memory for n bytes of the result.
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
	FrameCount    int     // of the file, pages and what stands beside an animation included
	Frames        []Frame // the picture first; at most Limits.MaxFrames times MaxRenderings
}

// Frame is one rendering of the picture, or of one frame of an animation.
type Frame struct {
	Index int        // of the frame, from 0; what it looks like to other viewers or on another background is FrameCount later each
	Views []Rendered // in the order of Request.Views; "trimmed" is left out when there is nothing to trim
}

// Rendered is one view of one frame.
type Rendered struct {
	View   View
	Pixels [][]byte // per target: RGB, 8 bit, row-major, height*width*3
	Gray   *Gray    // nil unless asked for
}

// Decode renders the views of a picture for the targets. It may be called from many
// goroutines; one call uses one core, and holds at most about the decoded picture
// (3 bytes for each pixel of Limits.MaxPixels, and what the codec itself needs).
//
// An error that is the file's fault wraps exactly one of ErrUndecodable, ErrUnsupported and
// ErrTooLarge; one that wraps none is the caller's (an invalid Request) or the installation's.
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

// complete fills in the defaults and checks the rest.
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
			return fmt.Errorf("view %q is not known, wanted one of %q", v, allViews)
		}
	}
	for _, t := range r.Targets {
		if err := t.Validate(); err != nil {
			return err
		}
	}
	return nil
}

// edge is the longest side that any target resizes to.
func (r *Request) edge() int {
	edge := 0
	for _, t := range r.Targets {
		edge = max(edge, t.edge())
	}
	return edge
}

// need is the shorter side below which no canvas is shrunk: 12/7 of the target (384 for 224), so
// that the one cubic resize still sees what it would in the full picture, and no less than a gray
// plane needs.
func (r *Request) need() int {
	need := max(1, r.edge()*12/7)
	if r.Gray {
		need = max(need, grayNeed)
	}
	return need
}

// sharp is the shorter side that a part of a shrunk canvas must have to be resized from.
func (r *Request) sharp() int { return r.edge() * 5 / 4 }

// spread picks at most limit of n frames, evenly, the first and the last among them.
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
