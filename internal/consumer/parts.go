package consumer

import (
	"context"
	"fmt"

	"moderator/internal/event"
	"moderator/internal/pdq"
)

// Fetcher gets the bytes of an upload from where its message says they are.
type Fetcher interface {
	// Fetch returns at most maxBytes bytes. Before it takes memory for some it calls reserve with how many it then holds in
	// all, as the store announces them or as they come; where that says no it returns a *NoRoom. An *Unjudgeable says that the
	// bytes can never be had; any other error is worth another delivery. A nil reserve says yes.
	Fetch(ctx context.Context, u event.Upload, maxBytes int64, reserve func(bytes int64) bool) ([]byte, error)
	// Dependency is the store that an upload's bytes are in. It is nil for a URL, whose host's outage is the upload's own.
	Dependency(u event.Upload) *Dependency
}

// NoRoom is the error of a fetch that may not hold so many bytes at the moment.
type NoRoom struct{ Bytes int64 }

func (e *NoRoom) Error() string { return fmt.Sprintf("no room for %d bytes", e.Bytes) }

// Picture is a decoded upload.
type Picture struct {
	Format        string
	Width, Height int
	Views         []View // at least one
	Grey          Plane
}

// Plane is a picture's first frame in grey, of at most 512 x 512 pixels and perhaps not of the picture's shape.
type Plane struct {
	Width, Height int
	Luma          []byte // row by row
}

// View is one view of one frame, as it is compared.
type View struct {
	Crops   [][]byte    // RGB pixels as each model takes them
	Vectors [][]float32 // what each model made of them
	PDQ     pdq.Hash
	Quality int // of the PDQ hash, 0 to 100
}

// Query is an upload as the library is asked for it.
type Query struct {
	SHA256 string // of the file, hex
	File   []byte
	Views  []View // none of an upload that cannot be decoded

	Width, Height int   // of the picture
	Grey          Plane // for a closer look
}

// Decoder turns bytes into pixels.
type Decoder interface {
	// Decode returns an *Unjudgeable for bytes that are no picture; any other error is worth another delivery.
	Decode(ctx context.Context, data []byte) (Picture, error)
}

// Embedder turns pixels into vectors.
type Embedder interface {
	// Embed returns one vector a crop, nil where the model gave none that can be compared. The crops are those of view after
	// view, of each view one a model, as Decode gave them.
	Embed(ctx context.Context, crops [][]byte) ([][]float32, error)
	Dependency() Dependency
}

// Hit is a flagged picture near an upload. Scores of different signals do not compare.
type Hit struct {
	Signal     event.Signal
	FlaggedID  string
	Bank       string
	View       string
	Similarity float64 // cosine; for PDQ the share of equal bits, for keypoints that of the points that agree
	Score      float64 // what the thresholds apply to
	BlockAt    float64
	ReviewAt   *float64         // nil: this bank has no review band
	Query      int              // which of the upload's views is near
	Model      *event.ModelInfo // whose vectors are near, or led to the closer look; nil: of no model
	Lead       *Hit             // what a hit by keypoints was a candidate by, which counted for nothing itself
	Allowed    *Allowed         // the allowed picture that this view is nearer to; nil: none, the hit counts
}

// Matcher finds the nearest flagged pictures.
type Matcher interface {
	// Match returns for each upload hits of enabled banks, the best of each bank and signal among them. Every error is
	// worth another delivery.
	Match(ctx context.Context, uploads []Query) ([][]Hit, error)
	Dependency() Dependency
}

// Recent keeps for a while what uploads look like, so that a later flag can be held against them.
type Recent interface {
	// Keep takes an upload that was judged and never waits.
	Keep(u event.UploadInfo, views []View)
}

// Unjudgeable is the error of an upload that no further delivery will help: it is decided review with Reason.
type Unjudgeable struct {
	Reason event.Reason
	Err    error
}

func (e *Unjudgeable) Error() string { return fmt.Sprintf("%s: %v", e.Reason, e.Err) }

func (e *Unjudgeable) Unwrap() error { return e.Err }
