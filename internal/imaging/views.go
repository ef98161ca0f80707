package imaging

// View names a view of a picture. Turned and mirrored views show the whole picture; crops are of the upright picture.
type View string

// The views. A rotation is clockwise; center-N keeps the middle N % of each side.
const (
	ViewOriginal       View = "original"
	ViewFlipHorizontal View = "flip-horizontal"
	ViewRotate90       View = "rotate-90"
	ViewRotate180      View = "rotate-180"
	ViewRotate270      View = "rotate-270"
	ViewFlipVertical   View = "flip-vertical"
	ViewTranspose      View = "transpose"  // mirrored along the main diagonal
	ViewTransverse     View = "transverse" // mirrored along the other diagonal
	ViewTrimmed        View = "trimmed"
	ViewCenter90       View = "center-90"
	ViewCenter70       View = "center-70"
	ViewQuarterTL      View = "quarter-tl"
	ViewQuarterTR      View = "quarter-tr"
	ViewQuarterBL      View = "quarter-bl"
	ViewQuarterBR      View = "quarter-br"
)

var allViews = []View{
	ViewOriginal, ViewFlipHorizontal, ViewRotate90, ViewRotate180, ViewRotate270,
	ViewFlipVertical, ViewTranspose, ViewTransverse, ViewTrimmed,
	ViewCenter90, ViewCenter70, ViewQuarterTL, ViewQuarterTR, ViewQuarterBL, ViewQuarterBR,
}

// centre returns the middle of a picture of w x h: percent of each side.
func centre(w, h, percent int) rect {
	cw, ch := max(1, w*percent/100), max(1, h*percent/100)
	return rect{(w - cw) / 2, (h - ch) / 2, cw, ch}
}

// orientation returns the orientation that makes the view.
func (v View) orientation() orientation {
	switch v {
	case ViewFlipHorizontal:
		return orientationMirror
	case ViewRotate180:
		return orientationHalf
	case ViewRotate90:
		return orientationRight
	case ViewRotate270:
		return orientationLeft
	case ViewFlipVertical:
		return orientationUpDown
	case ViewTranspose:
		return orientationMain
	case ViewTransverse:
		return orientationAnti
	}
	return orientationUpright
}

// part returns the part of the canvas that the view shows. Quarters of an odd side share its middle line. ok is false for
// the trimmed view of a picture without borders.
func (v View) part(c *canvas) (r rect, ok bool) {
	w, h := c.width, c.height
	halfW, halfH := (w+1)/2, (h+1)/2
	switch v {
	case ViewTrimmed:
		return trim(c)
	case ViewCenter90:
		return centre(w, h, 90), true
	case ViewCenter70:
		return centre(w, h, 70), true
	case ViewQuarterTL:
		return rect{0, 0, halfW, halfH}, true
	case ViewQuarterTR:
		return rect{w - halfW, 0, halfW, halfH}, true
	case ViewQuarterBL:
		return rect{0, h - halfH, halfW, halfH}, true
	case ViewQuarterBR:
		return rect{w - halfW, h - halfH, halfW, halfH}, true
	}
	return rect{0, 0, w, h}, true
}

// paint renders a part of a canvas. It turns the small result instead of the canvas.
func (r *Request) paint(c *canvas, v View, part rect) (Rendered, error) {
	out, o := Rendered{View: v}, v.orientation()
	fullWidth, fullHeight := o.size(c.full(part))
	for _, t := range r.Targets {
		w, h, crop := t.geometry(fullWidth, fullHeight)
		crop = o.before(crop, w, h)
		w, h = o.size(w, h)
		pixels, err := c.resampled(part, w, h, t.Kernel, crop, r.room(crop.width*crop.height*3))
		if err != nil {
			return out, err
		}
		out.Pixels = append(out.Pixels, pixels.turned(o).pix)
	}
	if !r.Gray {
		return out, nil
	}
	var err error
	out.Gray, err = gray(c.luma(), part, o, r.room)
	return out, err
}

// render renders all views of one frame.
func (r *Request) render(src *source, c *canvas) ([]Rendered, error) {
	views := make([]Rendered, 0, len(r.Views))
	for _, v := range r.Views {
		part, ok := v.part(c)
		if !ok {
			continue
		}
		var rendered Rendered
		var err error
		if v == ViewTrimmed && c.reduced() && src.frames == 1 && min(part.width, part.height) < r.sharp() {
			rendered, err = r.renderLarger(src, c, v, part)
		} else {
			rendered, err = r.paint(c, v, part)
		}
		if err != nil {
			return nil, err
		}
		views = append(views, rendered)
	}
	return views, nil
}

// renderLarger decodes a still picture again with less shrinking. The part inside its borders is too small on the canvas to
// fill the targets.
func (r *Request) renderLarger(src *source, c *canvas, v View, part rect) (rendered Rendered, err error) {
	need := r.need() * r.sharp() / min(part.width, part.height)
	err = src.canvases([]int{0}, need, 0, func(_ int, larger *canvas) error {
		if again, ok := v.part(larger); ok {
			c, part = larger, again
		}
		rendered, err = r.paint(c, v, part)
		return err
	})
	return rendered, err
}
