package consumer

import (
	"context"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel/trace"

	"moderator/internal/event"
)

// item is one upload on its way. One stage has it at a time.
type item struct {
	msg      jetstream.Msg
	upload   event.Upload
	attempt  int // which delivery this is, from 1
	pulled   time.Time
	held     int64 // its share of MaxHeldBytes
	decision event.Decision
	data     []byte // of the file
	views    []View
	grey     Plane
	trace    context.Context // has span
	span     trace.Span      // of the whole upload
}

func (it *item) id() string { return it.upload.Key() }

// since is the time from a moment until now, in milliseconds, to the microsecond.
func since(from time.Time) float64 {
	return float64(time.Since(from).Microseconds()) / 1000
}
