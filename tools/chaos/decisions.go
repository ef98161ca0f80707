package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// decision is the fields of a decision event that chaos uses. It does not share moderator's types, as other programs do not.
type decision struct {
	ID     string `json:"id"` // names the upload's message
	Upload string `json:"subject"`
	Data   struct {
		Verdict string `json:"verdict"`
		Reason  string `json:"reason"`
		Detail  string `json:"detail"`
	} `json:"data"`
}

// stillTime is how long no upload may be decided before the rest counts as lost. It is longer than any back-off.
const stillTime = 3 * time.Minute

// drain waits until every upload is acknowledged, or until no upload is decided for stillTime.
func (p *publisher) drain(ctx context.Context, out *progress) error {
	left, moved, said := uint64(0), time.Now(), time.Now()
	for ctx.Err() == nil {
		now, err := p.undecided(ctx)
		switch {
		case err == nil && now == 0:
			return nil
		case err == nil && now != left:
			left, moved = now, time.Now()
		case time.Since(moved) > stillTime:
			out.bad("%d uploads are left, and no upload was decided for %v (%v)", left, stillTime, err)
			return nil
		}
		if time.Since(said) > 10*time.Second {
			said = time.Now()
			out.say("waiting for %d uploads", left)
		}
		sleep(ctx, 200*time.Millisecond)
	}
	return ctx.Err()
}

// undecided is how many uploads the durable has not delivered, or has in flight. The stream's count is of no use: a killed
// broker forgets the removal of some acknowledged uploads, which stay and are not delivered again.
func (p *publisher) undecided(ctx context.Context) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	durable, err := p.js.Consumer(ctx, "UPLOADS", "moderator")
	if err != nil {
		return 0, err
	}
	info := durable.CachedInfo()
	return info.NumPending + uint64(info.NumAckPending), nil
}

// count returns how many messages a stream has.
func (p *publisher) count(ctx context.Context, stream string) (uint64, error) {
	s, err := p.js.Stream(ctx, stream)
	if err != nil {
		return 0, err
	}
	return s.CachedInfo().State.Msgs, nil
}

// decisions reads all decisions of the stream.
func (p *publisher) decisions(ctx context.Context) ([]decision, error) {
	n, err := p.count(ctx, "DECISIONS")
	if err != nil || n == 0 {
		return nil, err
	}
	reader, err := p.js.OrderedConsumer(ctx, "DECISIONS", jetstream.OrderedConsumerConfig{})
	if err != nil {
		return nil, err
	}
	messages, err := reader.Messages()
	if err != nil {
		return nil, err
	}
	defer messages.Stop()
	all := make([]decision, n)
	for i := range all {
		msg, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return nil, fmt.Errorf("read decision %d of %d: %w", i+1, n, err)
		}
		if err := json.Unmarshal(msg.Data(), &all[i]); err != nil {
			return nil, fmt.Errorf("decision %d of %d: %w", i+1, n, err)
		}
	}
	return all, nil
}
