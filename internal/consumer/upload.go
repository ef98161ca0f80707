package consumer

import (
	"context"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel/trace"

	"moderator/internal/event"
	"moderator/internal/feature"
)

// item is one upload on its way through the stages. One stage owns it at a time.
type item struct {
	msg         jetstream.Msg // nil if request is set
	request     *request
	upload      event.Upload
	attempt     int // number of this delivery, from 1
	pulled      time.Time
	incarnation incarnation
	storedOn    uint64 // connections() when the stream had the decision
	reserved    int64  // bytes of MaxHeldBytes
	decision    event.Decision
	data        []byte // the file
	views       []feature.View
	rejected    *event.Unjudgeable // set if the upload is decided without being fetched
	undecodable *event.Unjudgeable // set if views is empty: only the file's hash is compared with the library
	grey        feature.Plane
	trace       context.Context // carries span
	span        trace.Span      // covers the whole upload
}

func (it *item) id() string { return it.upload.Key() }

// unpublished reports a request for a decision that is not stored.
func (it *item) unpublished() bool { return it.request != nil && !it.request.publish }

// since returns the milliseconds since from. from must be a time.Now of this process: its monotonic clock counts.
func since(from time.Time) float64 { return milliseconds(time.Since(from)) }

// milliseconds has a resolution of one microsecond.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// earlier returns the earlier time. The server's clock may be ahead of ours, and a duration must not be negative.
func earlier(ours, servers time.Time) time.Time {
	if servers.After(ours) {
		return ours
	}
	return servers
}
