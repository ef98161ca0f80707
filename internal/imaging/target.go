package imaging

import "fmt"

// Kernel is the filter of a resize. The empty kernel is cubic.
type Kernel string

// The kernels that preprocessor_config.json can name.
const (
	KernelNearest  Kernel = "nearest"
	KernelLinear   Kernel = "linear"
	KernelCubic    Kernel = "cubic"
	KernelLanczos3 Kernel = "lanczos3"
)

// Target is the geometry of one model's input, from its preprocessor_config.json.
type Target struct {
	ShortestEdge              int // resize the shorter side to this, keeping the aspect; 0: resize to ResizeWidth x ResizeHeight
	ResizeWidth, ResizeHeight int
	CropWidth, CropHeight     int // centre crop afterwards; 0: no crop
	Kernel                    Kernel
}

// maxEdge bounds a model's input, so that an error in a configuration does not allocate memory.
const maxEdge = 4096

// Validate returns an error unless every picture gets the same size.
func (t Target) Validate() error {
	for _, edge := range []int{t.ShortestEdge, t.ResizeWidth, t.ResizeHeight, t.CropWidth, t.CropHeight} {
		if edge < 0 || edge > maxEdge {
			return fmt.Errorf("target %+v: an edge of %d pixels, wanted 0 to %d", t, edge, maxEdge)
		}
	}
	switch t.Kernel {
	case "", KernelNearest, KernelLinear, KernelCubic, KernelLanczos3:
	default:
		return fmt.Errorf("target %+v: kernel %q, wanted nearest, linear, cubic or lanczos3", t, t.Kernel)
	}
	minWidth, minHeight := t.ResizeWidth, t.ResizeHeight
	if t.ShortestEdge > 0 {
		minWidth, minHeight = t.ShortestEdge, t.ShortestEdge
	}
	switch {
	case minWidth == 0 || minHeight == 0:
		return fmt.Errorf("target %+v: wanted ShortestEdge, or both ResizeWidth and ResizeHeight", t)
	case (t.CropWidth == 0) != (t.CropHeight == 0):
		return fmt.Errorf("target %+v: wanted both CropWidth and CropHeight, or neither", t)
	case t.ShortestEdge > 0 && t.CropWidth == 0:
		return fmt.Errorf("target %+v: ShortestEdge without a crop gives pictures different sizes, wanted CropWidth and CropHeight", t)
	case t.CropWidth > minWidth || t.CropHeight > minHeight:
		return fmt.Errorf("target %+v: the crop is larger than the resized picture", t)
	}
	return nil
}

// Size returns the width and height of the output.
func (t Target) Size() (w, h int) {
	if t.CropWidth > 0 {
		return t.CropWidth, t.CropHeight
	}
	return t.ResizeWidth, t.ResizeHeight
}

// edge returns the longest side that the resize must reach for any orientation.
func (t Target) edge() int { return max(t.ShortestEdge, t.ResizeWidth, t.ResizeHeight) }

// rect is a part of a picture in pixels.
type rect struct{ left, top, width, height int }

// geometry returns the size to which a picture of w x h is resized, and the crop of that. It rounds as torchvision does: the
// longer side down (Resize), the margin half to even (CenterCrop).
func (t Target) geometry(w, h int) (rw, rh int, crop rect) {
	rw, rh = t.ResizeWidth, t.ResizeHeight
	if t.ShortestEdge > 0 {
		if w <= h {
			rw, rh = t.ShortestEdge, t.ShortestEdge*h/w
		} else {
			rw, rh = t.ShortestEdge*w/h, t.ShortestEdge
		}
	}
	cw, ch := t.Size()
	return rw, rh, rect{margin(rw - cw), margin(rh - ch), cw, ch}
}

// margin returns half of spare, rounded half to even: 1 -> 0, 3 -> 2, 5 -> 2.
func margin(spare int) int {
	half := spare / 2
	if spare%2 == 1 && half%2 == 1 {
		half++
	}
	return half
}
