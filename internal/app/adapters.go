package app

import (
	"context"
	"errors"

	"moderator/internal/consumer"
	"moderator/internal/embed"
	"moderator/internal/event"
	"moderator/internal/imaging"
	"moderator/internal/matchdb"
	"moderator/internal/views"
)

// decoder gives the consumer the pixels that the model takes.
type decoder struct {
	request imaging.Request
}

func newDecoder(f *embed.Folder, limits imaging.Limits) decoder {
	return decoder{imaging.Request{Targets: []imaging.Target{f.Target()}, Views: views.Query(), Limits: limits}}
}

func (d decoder) Decode(_ context.Context, data []byte) (consumer.Picture, error) {
	result, err := imaging.Decode(data, d.request)
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
