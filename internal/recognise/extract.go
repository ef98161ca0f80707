package recognise

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"moderator/internal/config"
	"moderator/internal/embed"
	"moderator/internal/imaging"
	"moderator/internal/keypoint"
	"moderator/internal/pdq"
	"moderator/internal/sandbox"
)

// Extractor makes vectors of whole pictures, for flags and for questions asked by hand. Pictures are decoded in workers, as
// uploads are.
type Extractor struct {
	model   *embed.Model
	limits  imaging.Limits
	sandbox config.Sandbox

	mu    sync.Mutex
	pools map[string]*sandbox.Pool // by the views that they render
}

// NewExtractor takes the model over: Close closes it.
func NewExtractor(model *embed.Model, limits imaging.Limits, s config.Sandbox) *Extractor {
	return &Extractor{model: model, limits: limits, sandbox: s, pools: map[string]*sandbox.Pool{}}
}

// Folder is the model's.
func (x *Extractor) Folder() *embed.Folder { return x.model.Folder() }

// Close ends the workers and releases the model.
func (x *Extractor) Close() error {
	for _, pool := range x.pools {
		pool.Close()
	}
	return x.model.Close()
}

// Extracted is a picture and its vectors.
type Extracted struct {
	Format        string
	Width, Height int
	Vectors       []ViewVector
	Grey          *imaging.Gray // of the first frame
}

// Points are those of the first frame, as they are stored of a flag or looked at of an upload.
func (e Extracted) Points(flagged bool) (keypoint.Features, error) {
	return Points(e.Grey, e.Width, e.Height, flagged)
}

// ViewVector is what one view of one frame is compared by.
type ViewVector struct {
	Frame   int
	View    imaging.View
	Vector  []float32 // L2-normalised
	Penalty float32   // its share of the score: see embed.Background

	PDQ     pdq.Hash
	Turns   []pdq.Hash // of the view turned and mirrored, by pdq.Turn; the first is PDQ
	Quality int        // of the PDQ hash, 0 to 100
}

// Name is the view's, with the frame where it is not an animation's first: "original", "rotate-90@12".
func (v ViewVector) Name() string {
	if v.Frame == 0 {
		return string(v.View)
	}
	return fmt.Sprintf("%s@%d", v.View, v.Frame)
}

// Extract decodes data and embeds the views of its frames; a view that does not apply (trimmed, where there is no
// border) is left out.
func (x *Extractor) Extract(ctx context.Context, data []byte, wanted []imaging.View) (Extracted, error) {
	pool, err := x.pool(wanted)
	if err != nil {
		return Extracted{}, err
	}
	result, err := pool.Decode(ctx, data)
	if err != nil {
		return Extracted{}, err
	}
	return Extract(ctx, x.model, result)
}

// pool is the workers that render the views.
func (x *Extractor) pool(wanted []imaging.View) (*sandbox.Pool, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	key := fmt.Sprint(wanted)
	if pool := x.pools[key]; pool != nil {
		return pool, nil
	}
	pool, err := LazyDecoder(imaging.Request{
		Targets: []imaging.Target{x.Folder().Target()}, Views: wanted, Gray: true, Limits: x.limits,
	}, x.sandbox, slog.New(slog.DiscardHandler)) // how a worker ended is in the picture's error
	if err == nil {
		x.pools[key] = pool
	}
	return pool, err
}

// Extract embeds and hashes the views of a decoded picture.
func Extract(ctx context.Context, model *embed.Model, result *imaging.Result) (Extracted, error) {
	out := Extracted{Format: result.Format, Width: result.Width, Height: result.Height, Grey: result.Frames[0].Views[0].Gray}
	var pixels [][]byte
	for _, frame := range result.Frames {
		for _, rendered := range frame.Views {
			pixels = append(pixels, rendered.Pixels[0])
			v := ViewVector{Frame: frame.Index, View: rendered.View}
			turns, quality := pdq.Turns(rendered.Gray.Width, rendered.Gray.Height, rendered.Gray.Pix)
			v.PDQ, v.Turns, v.Quality = turns[pdq.Original], turns[:], quality
			out.Vectors = append(out.Vectors, v)
		}
	}
	vectors, err := model.Embed(ctx, pixels)
	if err != nil {
		return Extracted{}, fmt.Errorf("embed: %w", err)
	}
	for i, v := range vectors {
		out.Vectors[i].Vector, out.Vectors[i].Penalty = v, model.Folder().BackgroundPenalty(v)
	}
	return out, nil
}
