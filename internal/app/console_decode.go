package app

import (
	"context"
	"image"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/image/draw"

	"moderator/internal/config"
	"moderator/internal/embed"
	"moderator/internal/imaging"
	"moderator/internal/sandbox"
	"moderator/internal/views"
)

// shownSide is the longer side of a picture that people look at, in pixels.
const shownSide = 640

// consoleDecoders are a worker that renders pictures to look at, and one that renders what is compared.
func consoleDecoders(f *embed.Folder, c config.Run, log *slog.Logger) (viewer, comparer *sandbox.Pool, err error) {
	c.DecodeWorkers = 1 // of each: most moderators' consoles are never opened
	limits := ImageLimits(c.Limits)
	viewer, err = LazyDecoder(imaging.Request{Targets: []imaging.Target{{ResizeWidth: shownSide, ResizeHeight: shownSide}}, Limits: limits}, c.Sandbox, log)
	if err != nil {
		return nil, nil, err
	}
	comparer, err = LazyDecoder(imaging.Request{Targets: []imaging.Target{f.Target()}, Views: views.Flag(), Gray: true, Limits: limits}, c.Sandbox, log)
	return viewer, comparer, err
}

// LazyDecoder is a pool of decode workers, which start with their first pictures.
func LazyDecoder(request imaging.Request, s config.Sandbox, log *slog.Logger) (*sandbox.Pool, error) {
	command, err := sandbox.Self()
	if err != nil {
		return nil, err
	}
	return sandbox.Start(sandbox.Options{
		Command: command, Request: request, Workers: orCPUs(s.DecodeWorkers), Lazy: true,
		MaxMemory: s.DecodeMemory, CPUTime: s.DecodeCPUTime, Timeout: s.DecodeTimeout, Recycle: s.DecodeRecycle,
		Logger: log,
		// A metric has one owner, and that is the uploads' decoders; deaths here are in the log.
		Metrics: prometheus.NewRegistry(),
	})
}

// Frames are the picture's, upright and in its proportions. Every worker's answer has the same size, so that they come
// squeezed into a square.
func (p *pictures) Frames(ctx context.Context, data []byte) ([]image.Image, error) {
	result, err := p.viewer.Decode(ctx, data)
	if err != nil {
		return nil, err
	}
	width, height := shownSize(result.Width, result.Height)
	frames := make([]image.Image, len(result.Frames))
	for i, frame := range result.Frames {
		square := image.NewRGBA(image.Rect(0, 0, shownSide, shownSide))
		rgb := frame.Views[0].Pixels[0]
		for n := range shownSide * shownSide {
			copy(square.Pix[4*n:], rgb[3*n:3*n+3])
			square.Pix[4*n+3] = 255
		}
		shown := image.NewRGBA(image.Rect(0, 0, width, height))
		draw.ApproxBiLinear.Scale(shown, shown.Bounds(), square, square.Bounds(), draw.Src, nil)
		frames[i] = shown
	}
	return frames, nil
}

// shownSize fits a picture into shownSide, and a sliver of one into something that can be seen.
func shownSize(width, height int) (w, h int) {
	const least = 16
	longer := max(width, height)
	side := min(longer, shownSide)
	return max(least, width*side/longer), max(least, height*side/longer)
}
