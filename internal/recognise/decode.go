package recognise

import (
	"context"
	"errors"
	"log/slog"
	"runtime"

	"moderator/internal/config"
	"moderator/internal/embed"
	"moderator/internal/event"
	"moderator/internal/feature"
	"moderator/internal/imaging"
	"moderator/internal/pdq"
	"moderator/internal/sandbox"

	"github.com/prometheus/client_golang/prometheus"
)

// Decoder gives the consumer the pixels that the models take, decoded in the sandbox. Its pool is asked for QueryViews, with
// one target for each model.
type Decoder struct {
	Pool *sandbox.Pool
}

// Decode implements consumer.Decoder.
func (d Decoder) Decode(ctx context.Context, data []byte) (feature.Picture, error) {
	result, err := d.Pool.Decode(ctx, data)
	if err != nil {
		return feature.Picture{}, unjudgeable(err)
	}
	picture := feature.Picture{Format: result.Format, Width: result.Width, Height: result.Height}
	first := result.Frames[0].Views[0].Gray
	picture.Grey = feature.Plane{Width: first.Width, Height: first.Height, Luma: first.Pix}
	for _, frame := range result.Frames {
		for _, view := range frame.Views {
			turns, quality := pdq.Turns(view.Gray.Width, view.Gray.Height, view.Gray.Pix)
			picture.Views = append(picture.Views, feature.View{Crops: view.Pixels, PDQ: turns[pdq.Original], Turns: turns[:], Quality: quality, Frame: frame.Index})
		}
	}
	return picture, nil
}

// unjudgeable gives a file's fault its reason; any other error stays, and the upload is tried again.
func unjudgeable(err error) error {
	for fault, reason := range map[error]event.Reason{
		imaging.ErrUndecodable: event.Undecodable,
		imaging.ErrUnsupported: event.Unsupported,
		imaging.ErrTooLarge:    event.TooLarge,
	} {
		if errors.Is(err, fault) {
			return &event.Unjudgeable{Reason: reason, Err: err}
		}
	}
	return err
}

// Embedder is the models; of the crops each takes its own, which come in turn.
type Embedder []*embed.Model

// Embed implements consumer.Embedder.
func (e Embedder) Embed(ctx context.Context, crops [][]byte) ([][]float32, error) {
	if len(e) == 1 {
		return embedWith(ctx, e[0], crops)
	}
	vectors := make([][]float32, len(crops))
	for place, model := range e {
		var own [][]byte
		for i := place; i < len(crops); i += len(e) {
			own = append(own, crops[i])
		}
		made, err := embedWith(ctx, model, own)
		if err != nil {
			return nil, err
		}
		for i, v := range made {
			vectors[i*len(e)+place] = v
		}
	}
	return vectors, nil
}

// embedWith gives a nil vector for a crop that the model made nothing of.
func embedWith(ctx context.Context, model *embed.Model, crops [][]byte) ([][]float32, error) {
	vectors, err := model.Embed(ctx, crops)
	var bad *embed.VectorError
	if errors.As(err, &bad) {
		return vectors, nil
	}
	return vectors, err
}

// LazyDecoder is a pool of decode workers, which start with their first pictures.
func LazyDecoder(request imaging.Request, s config.Sandbox, log *slog.Logger) (*sandbox.Pool, error) {
	options, err := WorkerOptions(s, log)
	if err != nil {
		return nil, err
	}
	options.Request, options.Lazy = request, true
	options.Metrics = prometheus.NewRegistry() // the uploads' decoders own the metrics; deaths here are in the log
	return sandbox.Start(options)
}

// WorkerOptions are the number and the limits of decode workers, without a request and metrics.
func WorkerOptions(s config.Sandbox, log *slog.Logger) (sandbox.Options, error) {
	command, err := sandbox.Self()
	workers := s.DecodeWorkers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0) // Go sets it to the cgroup's quota
	}
	return sandbox.Options{
		Command: command, Workers: workers, MaxMemory: s.DecodeMemory, CPUTime: s.DecodeCPUTime, Timeout: s.DecodeTimeout,
		Recycle: s.DecodeRecycle, Logger: log,
	}, err
}
