package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"moderator/internal/consumer"
	"moderator/internal/pdq"
)

// Dependency implements consumer.Matcher. The probe asks for an upload as others are asked for: a database that takes
// connections and cannot search is away too.
func (m matcher) Dependency() consumer.Dependency {
	return consumer.Dependency{Name: "postgres", Probe: func(ctx context.Context) error {
		view := consumer.View{Quality: pdq.MinQuality}
		for _, model := range m.models {
			unit := make([]float32, model.Dims())
			unit[0] = 1
			view.Vectors = append(view.Vectors, unit)
		}
		nothing := sha256.Sum256(nil)
		m.candidates = 0 // there is no picture to look at closer
		_, err := m.Match(ctx, []consumer.Query{{SHA256: hex.EncodeToString(nothing[:]), Views: []consumer.View{view}}})
		return err
	}}
}

// Dependency implements consumer.Embedder. The probe embeds a black picture with each model; a device that is lost comes back
// with a new process only.
func (e embedder) Dependency() consumer.Dependency {
	return consumer.Dependency{Name: "model", Restart: true, Probe: func(ctx context.Context) error {
		var black [][]byte
		for _, model := range e {
			width, height := model.Folder().Target().Size()
			black = append(black, make([]byte, 3*width*height))
		}
		_, err := e.Embed(ctx, black)
		return err
	}}
}
