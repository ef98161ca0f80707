package consumer

import (
	"context"
	"fmt"

	"moderator/internal/event"
)

// Fetcher gets the bytes of an upload from where its message says they are.
type Fetcher interface {
	// Fetch returns at most maxBytes bytes. An *Unjudgeable says that they can never be had; any other error is
	// worth another delivery.
	Fetch(ctx context.Context, u event.Upload, maxBytes int64) ([]byte, error)
}

// Picture is a decoded upload: for each frame and each of its views, the RGB pixels that the model takes.
type Picture struct {
	Format        string
	Width, Height int
	Crops         [][]byte
}

// Decoder turns bytes into pixels.
type Decoder interface {
	// Decode returns an *Unjudgeable for bytes that are no picture; any other error is worth another delivery.
	Decode(ctx context.Context, data []byte) (Picture, error)
}

// Embedder turns pixels into vectors.
type Embedder interface {
	// Embed returns one vector a crop, nil where the model gave none that can be compared.
	Embed(ctx context.Context, crops [][]byte) ([][]float32, error)
}

// Hit is the nearest flagged picture of one bank.
type Hit struct {
	FlaggedID  string
	Bank       string
	View       string
	Similarity float64 // cosine
	Score      float64 // what the thresholds apply to
	BlockAt    float64
	ReviewAt   *float64 // nil: this bank has no review band
}

// Matcher finds the nearest flagged pictures.
type Matcher interface {
	// Match returns for each vector the best hit of each enabled bank. Every error is worth another delivery.
	Match(ctx context.Context, vectors [][]float32) ([][]Hit, error)
}

// Unjudgeable is the error of an upload that no further delivery will help: it is decided review with Reason.
type Unjudgeable struct {
	Reason event.Reason
	Err    error
}

func (e *Unjudgeable) Error() string { return fmt.Sprintf("%s: %v", e.Reason, e.Err) }

func (e *Unjudgeable) Unwrap() error { return e.Err }
