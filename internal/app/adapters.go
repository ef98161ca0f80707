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
	"moderator/internal/matchdb"
	"moderator/internal/sandbox"
	"moderator/internal/views"
)

// decoder gives the consumer the pixels that the model takes, decoded in the sandbox.
type decoder struct {
	pool *sandbox.Pool
}

// startDecoder starts the decode workers and logs what confines them.
func startDecoder(f *embed.Folder, c config.Run, reg prometheus.Registerer, log *slog.Logger) (decoder, error) {
	command, err := sandbox.Self()
	if err != nil {
		return decoder{}, err
	}
	pool, err := sandbox.Start(sandbox.Options{
		Command: command,
		Request: imaging.Request{Targets: []imaging.Target{f.Target()}, Views: views.Query(), Limits: ImageLimits(c.Limits)},
		Workers: orCPUs(c.DecodeWorkers), MaxMemory: c.DecodeMemory, CPUTime: c.DecodeCPUTime, Timeout: c.DecodeTimeout,
		Recycle: c.DecodeRecycle, Metrics: reg,
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
	for _, frame := range result.Frames {
		for _, view := range frame.Views {
			picture.Crops = append(picture.Crops, view.Pixels[0])
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

// embedder gives the consumer a nil vector for a crop that the model made nothing of.
type embedder struct {
	model *embed.Model
}

func (e embedder) Embed(ctx context.Context, crops [][]byte) ([][]float32, error) {
	vectors, err := e.model.Embed(ctx, crops)
	var bad *embed.VectorError
	if errors.As(err, &bad) {
		return vectors, nil
	}
	return vectors, err
}

// matcher asks the library for the nearest flagged pictures of vectors of one model.
type matcher struct {
	db     *matchdb.DB
	folder *embed.Folder
}

func (m matcher) Match(ctx context.Context, vectors [][]float32) ([][]consumer.Hit, error) {
	queries := make([]matchdb.Query, len(vectors))
	for i, v := range vectors {
		queries[i] = matchdb.Query{Vector: v, Half: m.folder.HalfB(v)}
	}
	found, err := m.db.Match(ctx, m.folder.Fingerprint(), queries)
	if err != nil {
		return nil, err
	}
	hits := make([][]consumer.Hit, len(found))
	for i, row := range found {
		for _, h := range row {
			hits[i] = append(hits[i], consumer.Hit{
				FlaggedID: h.FlaggedID.String(), Bank: h.Bank, View: h.View, Similarity: h.Similarity, Score: h.Score,
				BlockAt: h.BlockAt, ReviewAt: h.ReviewAt,
			})
		}
	}
	return hits, nil
}
