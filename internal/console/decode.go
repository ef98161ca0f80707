package console

import (
	"context"
	"image"
	"log/slog"

	"golang.org/x/image/draw"

	"moderator/internal/config"
	"moderator/internal/embed"
	"moderator/internal/imaging"
	"moderator/internal/recognise"
	"moderator/internal/sandbox"
)

// shownSide is the longer side of shown pictures, in pixels.
const shownSide = 640

// viewer renders pictures for people, in a decode worker that starts with the first picture.
type viewer struct{ pool *sandbox.Pool }

func newViewer(limits imaging.Limits, s config.Sandbox, log *slog.Logger) (viewer, error) {
	s.DecodeWorkers = 1 // most consoles are seldom opened
	pool, err := recognise.LazyDecoder(imaging.Request{Targets: []imaging.Target{{ResizeWidth: shownSide, ResizeHeight: shownSide}}, Limits: limits}, s, log)
	return viewer{pool}, err
}

// newComparer returns a worker that renders views to compare.
func newComparer(f *embed.Folder, limits imaging.Limits, s config.Sandbox, log *slog.Logger) (*sandbox.Pool, error) {
	s.DecodeWorkers = 1
	return recognise.LazyDecoder(imaging.Request{Targets: []imaging.Target{f.Target()}, Views: recognise.FlagViews(), Gray: true, Limits: limits}, s, log)
}

// Frames returns the picture's frames, upright and with their aspect. The worker renders all pictures in the same size, a
// square, from which Frames restores the aspect.
func (v viewer) Frames(ctx context.Context, data []byte) ([]image.Image, error) {
	result, err := v.pool.Decode(ctx, data)
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

// shownSize fits a picture into shownSide. It widens very thin pictures, so that they can be seen.
func shownSize(width, height int) (w, h int) {
	const least = 16
	longer := max(width, height)
	side := min(longer, shownSide)
	return max(least, width*side/longer), max(least, height*side/longer)
}
