package ask

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/propagation"

	"moderator/internal/event"
)

// Judge decides on one upload, or returns an error when that is not possible now. With publish the decision is stored in
// DECISIONS before it is returned.
type Judge func(ctx context.Context, u event.Upload, publish bool) (event.Decision, error)

// Stream takes the place of a stream's name in the keys of uploads that were asked about.
const Stream = "ask"

// Asker answers requests.
type Asker struct {
	judge    Judge
	maxBytes int64
	slots    chan struct{}
	requests *prometheus.CounterVec
	seconds  prometheus.Histogram
}

// New returns an Asker for files of at most maxBytes. It judges at most concurrent uploads at a time.
func New(judge Judge, maxBytes int64, concurrent int, metrics prometheus.Registerer) *Asker {
	a := &Asker{
		judge: judge, maxBytes: maxBytes, slots: make(chan struct{}, concurrent),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "moderator_judge_requests_total",
			Help: "Requests to judge an upload at once, by transport (http, nats) and outcome (decided, malformed, busy, failed).",
		}, []string{"transport", "outcome"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "moderator_judge_request_seconds", Help: "Time of a request to judge an upload at once that was decided.",
			Buckets: prometheus.ExponentialBuckets(0.005, 2, 12),
		}),
	}
	metrics.MustRegister(a.requests, a.seconds)
	for _, transport := range []string{"http", "nats"} {
		for _, outcome := range []string{"decided", "malformed", "busy", "failed"} {
			a.requests.WithLabelValues(transport, outcome) // rates need a first zero
		}
	}
	return a
}

// ErrBusy says that as many uploads are being judged as may be.
var ErrBusy = errors.New("as many uploads are being judged as may be at a time: try again")

// enter takes a slot, or returns ErrBusy. The slot is given back before the answer is sent: the caller may ask again at once. leave may
// be called more than once.
func (a *Asker) enter() (leave func(), err error) {
	select {
	case a.slots <- struct{}{}:
		return sync.OnceFunc(func() { <-a.slots }), nil
	default:
		return nil, ErrBusy
	}
}

// answer judges a message. The error wraps event.ErrMalformed where the message is no upload.
func (a *Asker) answer(ctx context.Context, transport string, header map[string][]string, body []byte, publish bool) (event.Decision, error) {
	start := time.Now()
	u, err := event.ParseUpload(event.Message{
		Subject: transport, Stream: Stream, Sequence: randomSequence(), Timestamp: start, Header: header, Data: body,
	})
	if err != nil {
		a.count(transport, "malformed")
		return event.Decision{}, err
	}
	ctx = propagation.TraceContext{}.Extract(ctx, carrier(header))
	d, err := a.judge(ctx, u, publish)
	if err != nil {
		a.count(transport, "failed")
		return event.Decision{}, fmt.Errorf("judge the upload: %w", err)
	}
	a.count(transport, "decided")
	a.seconds.Observe(time.Since(start).Seconds())
	return d, nil
}

// carrier reads headers of any case.
func carrier(header map[string][]string) propagation.MapCarrier {
	all := propagation.MapCarrier{}
	for key, values := range header {
		if len(values) > 0 {
			all[strings.ToLower(key)] = values[0]
		}
	}
	return all
}

func (a *Asker) count(transport, outcome string) {
	a.requests.WithLabelValues(transport, outcome).Inc()
}

// randomSequence is below 2^53: JavaScript reads larger numbers inexactly.
func randomSequence() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.BigEndian.Uint64(b[:]) >> 11
}
