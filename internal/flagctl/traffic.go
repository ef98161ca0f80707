package flagctl

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go/jetstream"

	"moderator/internal/endpoint"
	"moderator/internal/event"
	"moderator/internal/matchdb"
)

// traffic counts uploads by the verdict of their first decision. Later decisions, by look-backs and people, count as matches of
// flags only.
type traffic struct {
	Allowed  uint64 `json:"allowed"`
	Blocked  uint64 `json:"blocked"`
	Reviewed uint64 `json:"reviewed"`

	banks   map[string]bankTraffic
	matched map[uuid.UUID]bool
}

// bankTraffic counts the uploads that matched a flag of one bank.
type bankTraffic struct{ blocked, reviewed int }

// traffic reads the decisions since then; nil without a stream of decisions. The server counts the decisions that allow, and
// the library those of them that people made.
func (c *cli) traffic(ctx context.Context, db *matchdb.DB, since time.Time) (*traffic, error) {
	servers, err := endpoint.NATS(c.Stack)
	if err != nil { // no NATS server is configured
		return nil, nil
	}
	nc, err := endpoint.ConnectNATS(servers, "flagctl stats", slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, err
	}
	stream, err := js.Stream(ctx, event.DecisionsStream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", event.DecisionsStream, err)
	}
	read := func(verdicts ...event.Verdict) (jetstream.Consumer, uint64, error) {
		cfg := jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverByStartTimePolicy, OptStartTime: &since}
		for _, v := range verdicts {
			cfg.FilterSubjects = append(cfg.FilterSubjects, "decisions."+string(v))
		}
		reader, err := stream.OrderedConsumer(ctx, cfg)
		if err != nil {
			return nil, 0, err
		}
		info, err := reader.Info(ctx)
		if err != nil {
			return nil, 0, err
		}
		return reader, info.NumPending, nil
	}
	t := &traffic{banks: map[string]bankTraffic{}, matched: map[uuid.UUID]bool{}}
	if _, t.Allowed, err = read(event.Allow); err != nil {
		return nil, fmt.Errorf("stream %s: %w", event.DecisionsStream, err)
	}
	if first := stream.CachedInfo().State.FirstTime; first.After(since) {
		since = first // earlier reviews are deleted
	}
	released, err := db.Released(ctx, since)
	if err != nil {
		return nil, err
	}
	t.Allowed -= min(t.Allowed, released)
	reader, pending, err := read(event.Block, event.Review)
	if err == nil && pending > 0 {
		err = eachDecision(ctx, reader, t.add)
	}
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", event.DecisionsStream, err)
	}
	return t, nil
}

// eachDecision reads the decisions up to the last one of the stream, of which there has to be one.
func eachDecision(ctx context.Context, reader jetstream.Consumer, do func(event.Decision)) error {
	messages, err := reader.Messages(jetstream.PullMaxMessagesWithBytesLimit(500, 8<<20))
	if err != nil {
		return err
	}
	defer messages.Stop()
	for {
		msg, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return err
		}
		if e, err := event.DecodeDecision(msg.Data()); err == nil { // else not a decision
			do(e.Data)
		}
		meta, err := msg.Metadata()
		if err != nil || meta.NumPending == 0 {
			return err
		}
	}
}

func (t *traffic) add(d event.Decision) {
	upload := d.Reason != event.Lookback && d.Reason != event.Reviewed && d.Reason != event.TakenBack
	blocked, reviewed := 0, 0
	switch {
	case upload && d.Verdict == event.Block:
		blocked = 1
	case upload:
		reviewed = 1
	}
	t.Blocked += uint64(blocked)
	t.Reviewed += uint64(reviewed)
	for _, m := range d.Matches {
		b := t.banks[m.Bank]
		t.banks[m.Bank] = bankTraffic{b.blocked + blocked, b.reviewed + reviewed}
		if id, err := uuid.Parse(m.FlaggedID); err == nil {
			t.matched[id] = true
		}
	}
}
