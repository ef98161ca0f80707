package main

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// flow is a way of uploads to results: through moderator, or through a rival.
type flow struct {
	stream, durable string
	uploads         string // subject to publish to
	results         string // subject to hear
	pid             int    // of the process that works, with those below it
}

const (
	uploadsStream = "UPLOADS"
	durableName   = "moderator"
	bestDecision  = "decisions.allow" // what an upload that nothing is like gets
)

func (p *moderator) flow() flow {
	return flow{uploadsStream, durableName, "uploads.bench", "decisions.>", p.pid()}
}

// fewest uploads are measured at a time: several batches, so that those at the beginning and the end matter little.
const fewest = 128

// warmUp uploads go before, so that both sides have their memory and their connections.
const warmUp = 32

// measure stores n uploads, all but the last while the durable is paused, lets it go and measures until all have their result.
//
// The speed by the clock is the slope of the results between a tenth and nine tenths of them: what the pipeline keeps up
// while it is full. The CPU time is that of the whole, with nothing left out.
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
	// The last one wakes the server, which looks at a durable that is let go with the next upload or the next heartbeat only.
	if err := s.publish(ctx, f.uploads, files, 1); err != nil {
		return figure{}, err
	}
	at := make([]float64, 0, n) // seconds at which results came
	for len(at) < n {
		select {
		case msg := <-results:
			if f.results != msg.Subject && msg.Subject != bestDecision {
				return figure{}, fmt.Errorf("an upload was decided %s: %s", msg.Subject, msg.Data)
			}
			at = append(at, time.Since(began).Seconds())
		case <-time.After(time.Minute):
			return figure{}, fmt.Errorf("%d of %d uploads have a result, and none came for a minute", len(at), n)
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

// publish stores n uploads.
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

// slope is how many come a second, by least squares through the points (at[i], i).
func slope(at []float64) float64 {
	n := float64(len(at))
	var sumX, sumY, sumXX, sumXY float64
	for i, x := range at {
		y := float64(i)
		sumX, sumY, sumXX, sumXY = sumX+x, sumY+y, sumXX+x*x, sumXY+x*y
	}
	return (n*sumXY - sumX*sumY) / (n*sumXX - sumX*sumX)
}
