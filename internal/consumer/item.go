package consumer

import (
	"context"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel/trace"

	"moderator/internal/event"
	"moderator/internal/feature"
)

// item is one upload on its way. One stage has it at a time.
type item struct {
	msg         jetstream.Msg
	upload      event.Upload
	attempt     int // which delivery this is, from 1
	pulled      time.Time
	place       place
	storedOn    uint64 // connections() when the stream had the decision
	held        int64  // its share of MaxHeldBytes
	decision    event.Decision
	data        []byte // of the file
	views       []feature.View
	refused     *event.Unjudgeable // why nothing of it is to be fetched
	undecodable *event.Unjudgeable // why there are none: the upload is held against the library by its file alone
	grey        feature.Plane
	trace       context.Context // has span
	span        trace.Span      // of the whole upload
}

func (it *item) id() string { return it.upload.Key() }

// since is the time from a moment of this process until now, in milliseconds; a clock that is set has no part in it.
func since(from time.Time) float64 { return milliseconds(time.Since(from)) }

// milliseconds are exact to the microsecond.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// notAfter is a moment by the server's clock, which may be ahead of ours, but at most ours: no time is negative.
func notAfter(ours, servers time.Time) time.Time {
	if servers.After(ours) {
		return ours
	}
	return servers
}
