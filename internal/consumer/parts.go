package consumer

import (
	"context"

	"moderator/internal/dependency"
	"moderator/internal/event"
	"moderator/internal/feature"
	"moderator/internal/verdict"
)

// Fetcher gets the bytes of an upload from where its message says they are.
type Fetcher interface {
	// Fetch returns at most maxBytes bytes. Before it takes memory for some it calls reserve with how many it then holds in
	// all, as the store announces them or as they come; where that says no it returns a *event.NoRoom. An *event.Unjudgeable says that the
	// bytes can never be had; any other error is worth another delivery. A nil reserve says yes.
	Fetch(ctx context.Context, u event.Upload, maxBytes int64, reserve func(bytes int64) bool) ([]byte, error)
	// Dependency is the store that an upload's bytes are in. It is nil for a URL, whose host's outage is the upload's own.
	Dependency(u event.Upload) *dependency.Dependency
}

// Decoder turns bytes into pixels.
type Decoder interface {
	// Decode returns an *event.Unjudgeable for bytes that are no picture; any other error is worth another delivery.
	Decode(ctx context.Context, data []byte) (feature.Picture, error)
}

// Embedder turns pixels into vectors.
type Embedder interface {
	// Embed returns one vector a crop, nil where the model gave none that can be compared. The crops are those of view after
	// view, of each view one a model, as Decode gave them.
	Embed(ctx context.Context, crops [][]byte) ([][]float32, error)
	Dependency() dependency.Dependency
}

// Matcher finds the nearest flagged pictures.
type Matcher interface {
	// Match returns for each upload hits of enabled banks, the best of each bank and signal among them. Every error is
	// worth another delivery.
	Match(ctx context.Context, uploads []feature.Query) ([][]verdict.Hit, error)
	Dependency() dependency.Dependency
}

// Recent keeps for a while what uploads look like, so that a later flag can be held against them.
type Recent interface {
	// Keep takes an upload that was judged and never waits.
	Keep(u event.UploadInfo, views []feature.View)
}
