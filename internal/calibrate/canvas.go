package calibrate

import (
	"context"
	"fmt"
	"image"
	"log/slog"

	"golang.org/x/image/draw"

	"moderator/internal/config"
	"moderator/internal/imaging"
	"moderator/internal/recognise"
	"moderator/internal/sandbox"
)

// canvasSide is the longest side of a picture to edit, in pixels. Larger pictures are reduced: no signal uses more detail,
// and editing 12 megapixels takes a second.
const canvasSide = 1024

// Canvases decodes pictures for edits and for the report, in decode workers. It is safe for concurrent use.
type Canvases struct{ pool *sandbox.Pool }

// NewCanvases prepares the workers, which start with their first picture. Close ends them.
func NewCanvases(limits imaging.Limits, s config.Sandbox) (*Canvases, error) {
	limits.MaxFrames = 1
	pool, err := recognise.LazyDecoder(imaging.Request{
		// All targets have one size: a picture is squeezed into a square, and of restores its proportions.
		Targets: []imaging.Target{{ResizeWidth: canvasSide, ResizeHeight: canvasSide, Kernel: imaging.KernelLanczos3}}, Limits: limits,
	}, s, slog.New(slog.DiscardHandler)) // the picture's error says how a worker ended
	return &Canvases{pool}, err
}

// Close ends the workers.
func (c *Canvases) Close() { c.pool.Close() }

// of returns the picture, upright and opaque, with a longer side of at most canvasSide.
func (c *Canvases) of(ctx context.Context, s Source) (*image.RGBA, error) {
	decoded, err := c.pool.Decode(ctx, s.Data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	square := image.NewRGBA(image.Rect(0, 0, canvasSide, canvasSide))
	pixels := decoded.Frames[0].Views[0].Pixels[0]
	for i := range canvasSide * canvasSide {
		copy(square.Pix[4*i:4*i+3], pixels[3*i:])
		square.Pix[4*i+3] = 255
	}
	return scaled(square, decoded.Width, decoded.Height, canvasSide), nil
}

// scaled returns p with the proportions of width x height, and a longer side of at most side pixels.
func scaled(p *image.RGBA, width, height, side int) *image.RGBA {
	k := min(1, float64(side)/float64(max(width, height)))
	to := image.NewRGBA(image.Rect(0, 0, max(1, int(k*float64(width))), max(1, int(k*float64(height)))))
	draw.BiLinear.Scale(to, to.Rect, p, p.Rect, draw.Src, nil)
	return to
}
