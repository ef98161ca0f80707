package imaging

// View is a way to look at a picture. Turns and mirrors are of the whole; crops are of the
// upright picture.
type View string

// The views. A rotation is clockwise; centre-70 keeps the middle 70 % of each side.
const (
	ViewOriginal       View = "original"
	ViewFlipHorizontal View = "flip-horizontal"
	ViewRotate90       View = "rotate-90"
	ViewRotate180      View = "rotate-180"
	ViewRotate270      View = "rotate-270"
	ViewTrimmed        View = "trimmed"
	ViewCenter70       View = "center-70"
	ViewQuarterTL      View = "quarter-tl"
	ViewQuarterTR      View = "quarter-tr"
	ViewQuarterBL      View = "quarter-bl"
	ViewQuarterBR      View = "quarter-br"
)

var allViews = []View{
	ViewOriginal, ViewFlipHorizontal, ViewRotate90, ViewRotate180, ViewRotate270, ViewTrimmed,
	ViewCenter70, ViewQuarterTL, ViewQuarterTR, ViewQuarterBL, ViewQuarterBR,
}

// orientation is the EXIF orientation that turns a picture into the view.
func (v View) orientation() int {
	switch v {
	case ViewFlipHorizontal:
		return 2
	case ViewRotate180:
		return 3
	case ViewRotate90:
		return 6
	case ViewRotate270:
		return 8
	}
	return 1
}

// part is what the view keeps of a picture of w x h; the quarters of an odd side share its
// middle row. ok is false for the trimmed view of a picture without borders.
func (v View) part(c *canvas) (r rect, ok bool) {
	w, h := c.width, c.height
	halfW, halfH := (w+1)/2, (h+1)/2
	switch v {
	case ViewTrimmed:
		return trim(c)
	case ViewCenter70:
		cw, ch := max(1, w*7/10), max(1, h*7/10)
		return rect{(w - cw) / 2, (h - ch) / 2, cw, ch}, true
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

// render makes all views of one frame.
func (r *Request) render(src *source, c *canvas) ([]Rendered, error) {
	p, err := newPainter(r, c)
	if err != nil {
		return nil, err
	}
	defer p.close()
	views := make([]Rendered, 0, len(r.Views))
	for _, v := range r.Views {
		part, ok := v.part(c)
		if !ok {
			continue
		}
		var rendered Rendered
		if v == ViewTrimmed {
			rendered, err = r.renderTrimmed(src, p, part)
		} else {
			rendered, err = p.paint(v, part)
		}
		if err != nil {
			return nil, err
		}
		views = append(views, rendered)
	}
	return views, nil
}

// renderTrimmed decodes a still picture again, larger, when what its borders leave of a shrunk
// canvas would have to be blown up to fill the targets.
func (r *Request) renderTrimmed(src *source, p *painter, part rect) (Rendered, error) {
	short := min(part.width, part.height)
	if !p.canvas.reduced() || src.frames > 1 || short >= r.edge() {
		return p.paint(ViewTrimmed, part)
	}
	var rendered Rendered
	err := src.canvases([]int{0}, r.need()*r.edge()/short, func(_ int, larger *canvas) error {
		again, ok := trim(larger)
		if !ok { // finer pixels tell another story: keep the first
			var err error
			rendered, err = p.paint(ViewTrimmed, part)
			return err
		}
		q, err := newPainter(r, larger)
		if err != nil {
			return err
		}
		defer q.close()
		rendered, err = q.paint(ViewTrimmed, again)
		return err
	})
	return rendered, err
}

// painter renders parts of one canvas.
type painter struct {
	req    *Request
	canvas *canvas
	rgb    *handle
	luma   *handle // nil unless PDQ's input is wanted
}

func newPainter(req *Request, c *canvas) (*painter, error) {
	p := &painter{req: req, canvas: c}
	var err error
	if p.rgb, err = wrap(c.pix, c.width, c.height, 3); err != nil {
		return nil, err
	}
	if req.Gray {
		if p.luma, err = wrap(luma(c.pix), c.width, c.height, 1); err != nil {
			p.rgb.close()
			return nil, err
		}
	}
	return p, nil
}

func (p *painter) close() {
	p.rgb.close()
	if p.luma != nil {
		p.luma.close()
	}
}

func (p *painter) paint(v View, part rect) (Rendered, error) {
	out := Rendered{View: v}
	view, err := p.rgb.part(part, v.orientation())
	if err != nil {
		return out, err
	}
	defer view.close()
	fullWidth, fullHeight := p.canvas.full(part)
	if isQuarterTurn(v.orientation()) {
		fullWidth, fullHeight = fullHeight, fullWidth
	}
	for _, t := range p.req.Targets {
		w, h, crop := t.geometry(fullWidth, fullHeight)
		pix, err := view.resized(w, h, t.Kernel, crop)
		if err != nil {
			return out, err
		}
		out.Pixels = append(out.Pixels, pix)
	}
	if p.luma != nil {
		out.Gray, err = p.gray(part, v.orientation())
	}
	return out, err
}
