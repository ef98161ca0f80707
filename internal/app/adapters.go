package app

import (
	"context"
	"errors"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"moderator/internal/config"
	"moderator/internal/consumer"
	"moderator/internal/embed"
	"moderator/internal/event"
	"moderator/internal/imaging"
	"moderator/internal/pdq"
	"moderator/internal/sandbox"
	"moderator/internal/views"
)

// decoder gives the consumer the pixels that the models take, decoded in the sandbox.
type decoder struct {
	pool *sandbox.Pool
}

// startDecoder starts the decode workers and logs what confines them.
func startDecoder(folders []*embed.Folder, c config.Run, reg prometheus.Registerer, log *slog.Logger) (decoder, error) {
	command, err := sandbox.Self()
	if err != nil {
		return decoder{}, err
	}
	var targets []imaging.Target
	for _, f := range folders {
		targets = append(targets, f.Target())
	}
	pool, err := sandbox.Start(sandbox.Options{
		Command: command,
		Request: imaging.Request{
			Targets: targets, Views: views.Query(), Gray: true, Limits: ImageLimits(c.Limits),
		},
		Workers: orCPUs(c.DecodeWorkers), MaxMemory: c.DecodeMemory, CPUTime: c.DecodeCPUTime, Timeout: c.DecodeTimeout,
		Recycle: c.DecodeRecycle, Metrics: reg, Logger: log,
	})
	if err != nil {
		return decoder{}, err
	}
	inForce, missing := pool.Confinement()
	log.Info("decoders", "workers", orCPUs(c.DecodeWorkers), "confined_by", inForce)
	if len(missing) > 0 {
		log.Warn("this kernel cannot confine the decoders fully", "missing", missing)
	}
	return decoder{pool}, nil
}

func (d decoder) Decode(ctx context.Context, data []byte) (consumer.Picture, error) {
	result, err := d.pool.Decode(ctx, data)
	if err != nil {
		return consumer.Picture{}, unjudgeable(err)
	}
	picture := consumer.Picture{Format: result.Format, Width: result.Width, Height: result.Height}
	first := result.Frames[0].Views[0].Gray
	picture.Grey = consumer.Plane{Width: first.Width, Height: first.Height, Luma: first.Pix}
	for _, frame := range result.Frames {
		for _, view := range frame.Views {
			hash, quality := pdq.Compute(view.Gray.Width, view.Gray.Height, view.Gray.Pix)
			picture.Views = append(picture.Views, consumer.View{Crops: view.Pixels, PDQ: hash, Quality: quality})
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
			return &consumer.Unjudgeable{Reason: reason, Err: err}
		}
	}
	return err
}

// embedder is the models; of the crops each takes its own, which come in turn.
type embedder []*embed.Model

func (e embedder) Embed(ctx context.Context, crops [][]byte) ([][]float32, error) {
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
