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

// canvasSide is the longer side, in pixels, of a picture that is edited. Larger ones are reduced to it: no signal looks at
// more detail, and editing 12 megapixels takes a second.
const canvasSide = 1024

// Canvases decodes pictures for edits and for the report, in decode workers. It is safe for concurrent use.
type Canvases struct{ pool *sandbox.Pool }

// NewCanvases prepares the workers, which start with their first picture. Close ends them.
func NewCanvases(limits imaging.Limits, s config.Sandbox) (*Canvases, error) {
	limits.MaxFrames = 1
	pool, err := recognise.LazyDecoder(imaging.Request{
		// Every target has one size: a picture is squeezed into a square, and of gets its proportions back.
		Targets: []imaging.Target{{ResizeWidth: canvasSide, ResizeHeight: canvasSide, Kernel: imaging.KernelLanczos3}}, Limits: limits,
	}, s, slog.New(slog.DiscardHandler)) // how a worker ended is in the picture's error
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
