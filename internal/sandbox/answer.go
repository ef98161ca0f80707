package sandbox

import (
	"errors"
	"fmt"
	"slices"

	"moderator/internal/imaging"
)

// answer describes the result of one decode. The pixels are in shared memory without gaps: for each view of each frame, its
// targets in the request's order and then its gray plane.
type answer struct {
	Error string // empty if there is a picture
	Fault string // name of the error that it wraps; see faults

	Format        string
	Width, Height int
	FrameCount    int
	Frames        []answerFrame
}

type answerFrame struct {
	Index int
	Views []answerView
}

type answerView struct {
	View                  imaging.View
	GrayWidth, GrayHeight int // 0 if there is no gray plane
}

// pack describes result. It copies its pixels to pixels, unless they are there already.
func pack(result *imaging.Result, pixels []byte) (answer, error) {
	a := answer{Format: result.Format, Width: result.Width, Height: result.Height, FrameCount: result.FrameCount}
	for _, frame := range result.Frames {
		described := answerFrame{Index: frame.Index}
		for _, view := range frame.Views {
			planes, v := view.Pixels, answerView{View: view.View}
			if view.Gray != nil {
				planes, v.GrayWidth, v.GrayHeight = append(planes, view.Gray.Pix), view.Gray.Width, view.Gray.Height
			}
			for _, plane := range planes {
				if len(plane) > len(pixels) {
					return a, errors.New("the pixels do not fit into the shared memory")
				}
				if &plane[0] != &pixels[0] {
					copy(pixels, plane)
				}
				pixels = pixels[len(plane):]
			}
			described.Views = append(described.Views, v)
		}
		a.Frames = append(a.Frames, described)
	}
	return a, nil
}

// unpack copies the pixels out of shared memory. It refuses an answer that imaging.Decode would not give to the request.
func (a *answer) unpack(request imaging.Request, pixels []byte) (*imaging.Result, error) {
	if err := a.check(request); err != nil {
		return nil, fmt.Errorf("the decode worker's answer is not credible: %w", err)
	}
	take := func(size int) []byte {
		plane := slices.Clone(pixels[:size])
		pixels = pixels[size:]
		return plane
	}
	result := &imaging.Result{Format: a.Format, Width: a.Width, Height: a.Height, FrameCount: a.FrameCount}
	for _, described := range a.Frames {
		frame := imaging.Frame{Index: described.Index}
		for _, v := range described.Views {
			view := imaging.Rendered{View: v.View}
			for _, target := range request.Targets {
				width, height := target.Size()
				view.Pixels = append(view.Pixels, take(3*width*height))
			}
			if request.Gray {
				view.Gray = &imaging.Gray{Width: v.GrayWidth, Height: v.GrayHeight, Pix: take(v.GrayWidth * v.GrayHeight)}
			}
			frame.Views = append(frame.Views, view)
		}
		result.Frames = append(result.Frames, frame)
	}
	return result, nil
}

// check compares the description with the request. The pixels of an answer that passes fit into the shared memory.
func (a *answer) check(request imaging.Request) error {
	if len(a.Format) > 8 || a.Width < 1 || a.Height < 1 || int64(a.Width) > request.Limits.MaxPixels/int64(a.Height) {
		return fmt.Errorf("a %.8q of %d x %d pixels", a.Format, a.Width, a.Height)
	}
	if len(a.Frames) < 1 || len(a.Frames) > request.Limits.MaxFrames*imaging.MaxRenderings || a.FrameCount < 1 {
		return fmt.Errorf("%d frames of %d", len(a.Frames), a.FrameCount)
	}
	seen := map[int]bool{}
	for _, frame := range a.Frames {
		if seen[frame.Index] || frame.Index < 0 || frame.Index/imaging.MaxRenderings >= a.FrameCount {
			return fmt.Errorf("frame %d of %d, or twice", frame.Index, a.FrameCount)
		}
		seen[frame.Index] = true
		if err := checkViews(frame.Views, request); err != nil {
			return err
		}
	}
	return nil
}

// checkViews wants each requested view once and in order. Only the trimmed view may be missing.
func checkViews(views []answerView, request imaging.Request) error {
	for _, wanted := range request.Views {
		if len(views) == 0 || views[0].View != wanted {
			if wanted == imaging.ViewTrimmed {
				continue
			}
			return fmt.Errorf("the view %s is missing", wanted)
		}
		gray := views[0]
		if request.Gray && (gray.GrayWidth < 1 || gray.GrayHeight < 1 || gray.GrayWidth > imaging.MaxGray/gray.GrayHeight) {
			return fmt.Errorf("a gray plane of %d x %d", gray.GrayWidth, gray.GrayHeight)
		}
		views = views[1:]
	}
	if len(views) > 0 {
		return fmt.Errorf("%d views more than requested", len(views))
	}
	return nil
}
