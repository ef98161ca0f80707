package main

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// flow is a path of uploads to results: through moderator, or through a rival.
type flow struct {
	stream, durable string
	uploads         string // subject to publish to
	results         string // subject to subscribe to
	pid             int    // of the process that is measured, with its children
}

const (
	uploadsStream = "UPLOADS"
	durableName   = "moderator"
	bestDecision  = "decisions.allow" // for an upload without a match
)

func (p *moderator) flow() flow {
	return flow{uploadsStream, durableName, "uploads.bench", "decisions.>", p.pid()}
}

// fewest is the fewest uploads of a measurement: several batches, so that the first and the last one matter little.
const fewest = 128

// warmUp is how many uploads run first, so that both sides have their memory and connections.
const warmUp = 32

// measure stores n uploads, all but the last while the durable is paused. Then it resumes the durable, and measures until all
// have a result.
//
// The speed by the clock is the slope of the results between a tenth and nine tenths of them: the throughput of a full
// pipeline. The CPU time is of the whole measurement.
func (s *servers) measure(ctx context.Context, f flow, files [][]byte, n int) (figure, error) {
	results := make(chan *nats.Msg, n+1)
	subscription, err := s.nc.ChanSubscribe(f.results, results)
	if err != nil {
		return figure{}, err
	}
	defer func() { _ = subscription.Unsubscribe() }()
	if _, err := s.js.PauseConsumer(ctx, f.stream, f.durable, time.Now().Add(time.Hour)); err != nil {
		return figure{}, err
	}
	if err := s.publish(ctx, f.uploads, files, n-1); err != nil {
		return figure{}, err
	}
	before, err := usageOf(f.pid)
	if err != nil {
		return figure{}, err
	}
	began := time.Now()
	if _, err := s.js.ResumeConsumer(ctx, f.stream, f.durable); err != nil {
		return figure{}, err
	}
	// The last upload wakes the server: it notices a resumed durable with the next upload or heartbeat.
	if err := s.publish(ctx, f.uploads, files, 1); err != nil {
		return figure{}, err
	}
	at := make([]float64, 0, n) // times of the results, in seconds
	for len(at) < n {
		select {
		case msg := <-results:
			if f.results != msg.Subject && msg.Subject != bestDecision {
				return figure{}, fmt.Errorf("an upload was decided %s: %s", msg.Subject, msg.Data)
			}
			at = append(at, time.Since(began).Seconds())
		case <-time.After(time.Minute):
			return figure{}, fmt.Errorf("%d of %d uploads have a result, and no further result came in a minute", len(at), n)
		case <-ctx.Done():
			return figure{}, ctx.Err()
		}
	}
	after, err := usageOf(f.pid)
	if err != nil {
		return figure{}, err
	}
	return figure{slope(at[n/10 : n-n/10]), float64(n) / (after.cpu - before.cpu).Seconds()}, nil
}

// publish stores n uploads in the stream.
func (s *servers) publish(ctx context.Context, subject string, files [][]byte, n int) error {
	acks := make([]jetstream.PubAckFuture, 0, n)
	for i := range n {
		ack, err := s.js.PublishAsync(subject, files[i%len(files)], jetstream.WithStallWait(time.Minute))
		if err != nil {
			return err
		}
		acks = append(acks, ack)
	}
	select {
	case <-s.js.PublishAsyncComplete():
	case <-time.After(time.Minute):
		return fmt.Errorf("the stream has not stored %d uploads within a minute", n)
	case <-ctx.Done():
		return ctx.Err()
	}
	for _, ack := range acks {
		select {
		case <-ack.Ok():
		case err := <-ack.Err():
			return err
		}
	}
	return nil
}

// slope is the results a second, by least squares through the points (at[i], i).
func slope(at []float64) float64 {
	n := float64(len(at))
	var sumX, sumY, sumXX, sumXY float64
	for i, x := range at {
		y := float64(i)
		sumX, sumY, sumXX, sumXY = sumX+x, sumY+y, sumXX+x*x, sumXY+x*y
	}
	return (n*sumXY - sumX*sumY) / (n*sumXX - sumX*sumX)
}
