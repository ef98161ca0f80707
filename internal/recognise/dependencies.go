package recognise

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"moderator/internal/dependency"
	"moderator/internal/feature"
	"moderator/internal/pdq"
)

// Dependency implements consumer.Matcher. The probe asks for an upload as others are asked for: a database that takes
// connections and cannot search is away too.
func (m Matcher) Dependency() dependency.Dependency {
	return dependency.Dependency{Name: "postgres", Probe: func(ctx context.Context) error {
		view := feature.View{Quality: pdq.MinQuality, Turns: []pdq.Hash{{}}}
		for _, model := range m.models {
			unit := make([]float32, model.Dims())
			unit[0] = 1
			view.Vectors = append(view.Vectors, unit)
		}
		nothing := sha256.Sum256(nil)
		m.candidates = 0 // there is no picture to verify
		_, err := m.Match(ctx, []feature.Query{{SHA256: hex.EncodeToString(nothing[:]), Views: []feature.View{view}}})
		return err
	}}
}

// Dependency implements consumer.Embedder. The probe embeds a black picture with each model; a device that is lost comes back
// with a new process only.
func (e Embedder) Dependency() dependency.Dependency {
	return dependency.Dependency{Name: "model", Restart: true, Probe: func(ctx context.Context) error {
		var black [][]byte
		for _, model := range e {
			width, height := model.Folder().Target().Size()
			black = append(black, make([]byte, 3*width*height))
		}
		_, err := e.Embed(ctx, black)
		return err
	}}
}
