package consumer

import (
	"context"

	"moderator/internal/dependency"
	"moderator/internal/event"
	"moderator/internal/feature"
	"moderator/internal/verdict"
)

// Fetcher gets the file of an upload that is a reference.
type Fetcher interface {
	// Fetch returns at most maxBytes bytes. Before it allocates memory, it calls reserve with the total that it will then
	// hold; if that returns false, Fetch returns an *event.NotAdmitted. A nil reserve admits everything. An
	// *event.Unjudgeable means that the bytes can never be had. Any other error is worth a redelivery.
	Fetch(ctx context.Context, u event.Upload, maxBytes int64, reserve func(bytes int64) bool) ([]byte, error)
	// Dependency returns the store of an upload's bytes. It returns nil for a URL: the outage of one host stops nothing else.
	Dependency(u event.Upload) *dependency.Dependency
}

// Decoder decodes files into pictures.
type Decoder interface {
	// Decode returns an *event.Unjudgeable for an undecodable file. Any other error is worth a redelivery.
	Decode(ctx context.Context, data []byte) (feature.Picture, error)
}

// Embedder computes vectors of crops.
type Embedder interface {
	// Embed returns one vector for each crop, or nil where the model's vector is zero or not finite. The crops are the
	// views' crops in order. Each view has one crop for each model, as Decode returned them.
	Embed(ctx context.Context, crops [][]byte) ([][]float32, error)
	Dependency() dependency.Dependency
}

// Matcher finds the nearest flags.
type Matcher interface {
	// Match returns for each upload its hits in enabled banks, including the best of each bank and signal. Every error is
	// worth a redelivery.
	Match(ctx context.Context, uploads []feature.Query) ([][]verdict.Hit, error)
	Dependency() dependency.Dependency
}

// MatchObserver is told which flags uploads match.
type MatchObserver interface {
	// ObserveMatch gets a stored decision that has a match. It does not block.
	ObserveMatch(d event.Decision)
}

// Previews keeps pictures of uploads in review that came inside their messages.
type Previews interface {
	// Keep gets an upload whose decision is stored, with its file, which stays unchanged. It does not block.
	Keep(u event.UploadInfo, file []byte)
}

// Recent keeps the features of uploads for a time, for look-backs.
type Recent interface {
	// Keep records a judged upload. It does not block.
	Keep(u event.UploadInfo, views []feature.View)
}
