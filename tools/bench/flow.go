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

// measured is the speed of one measurement, and what an upload costs the machine: milliseconds of CPU time of each program.
type measured struct {
	figure
	own, workers, postgres, nats float64
}

// figures are the speeds alone.
func figures(all []measured) []figure {
	speeds := make([]figure, len(all))
	for i, m := range all {
		speeds[i] = m.figure
	}
	return speeds
}

// machineUsage is what the programs of a flow have used.
type machineUsage struct{ program, postgres, nats usage }

func (s *servers) usage(f flow) (all machineUsage, err error) {
	now, err := processes()
	if err != nil {
		return all, err
	}
	if all.program, err = now.below(f.pid); err != nil {
		return all, err
	}
	if all.postgres, err = now.below(s.postgresPID); err != nil {
		return all, err
	}
	all.nats, err = now.below(s.nats.Process.Pid)
	return all, err
}

// costs divides the CPU time since before by n uploads.
func (m *measured) costs(before, after machineUsage, n int) {
	each := func(took time.Duration) float64 { return took.Seconds() * 1000 / float64(n) }
	own := after.program.own - before.program.own
	m.own, m.workers = each(own), each(after.program.cpu-before.program.cpu-own)
	m.postgres, m.nats = each(after.postgres.cpu-before.postgres.cpu), each(after.nats.cpu-before.nats.cpu)
	m.perCPU = 1000 / (m.own + m.workers)
}

// measure stores n uploads, all but the last while the durable is paused. Then it resumes the durable, and measures until all
// have a result.
//
// The speed by the clock is the slope of the results between a tenth and nine tenths of them: the throughput of a full
// pipeline. The CPU time is of the whole measurement.
func (s *servers) measure(ctx context.Context, f flow, files [][]byte, n int) (m measured, err error) {
	results := make(chan *nats.Msg, n+1)
	subscription, err := s.nc.ChanSubscribe(f.results, results)
	if err != nil {
		return m, err
	}
	defer func() { _ = subscription.Unsubscribe() }()
	if _, err := s.js.PauseConsumer(ctx, f.stream, f.durable, time.Now().Add(time.Hour)); err != nil {
		return m, err
	}
	if err := s.publish(ctx, f.uploads, files, n-1); err != nil {
		return m, err
	}
	before, err := s.usage(f)
	if err != nil {
		return m, err
	}
	began := time.Now()
	if _, err := s.js.ResumeConsumer(ctx, f.stream, f.durable); err != nil {
		return m, err
	}
	// The last upload wakes the server: it notices a resumed durable with the next upload or heartbeat.
	if err := s.publish(ctx, f.uploads, files, 1); err != nil {
		return m, err
	}
	at := make([]float64, 0, n) // times of the results, in seconds
	for len(at) < n {
		select {
		case msg := <-results:
			if f.results != msg.Subject && msg.Subject != bestDecision {
				return m, fmt.Errorf("an upload was decided %s: %s", msg.Subject, msg.Data)
			}
			at = append(at, time.Since(began).Seconds())
		case <-time.After(time.Minute):
			return m, fmt.Errorf("%d of %d uploads have a result, and no further result came in a minute", len(at), n)
		case <-ctx.Done():
			return m, ctx.Err()
		}
	}
	after, err := s.usage(f)
	if err != nil {
		return m, err
	}
	m.costs(before, after, n)
	m.perSecond = slope(at[n/10 : n-n/10])
	return m, nil
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
