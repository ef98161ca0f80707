package consumer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"moderator/internal/event"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// StreamOptions configures the streams and the durable that EnsureStreams creates.
type StreamOptions struct {
	Replicas        int
	AckWait         time.Duration
	DuplicateWindow time.Duration // how long message ids are remembered
	KeepDecisions   time.Duration // maximum age of decisions in their stream
	MaxAckPending   int
}

// CheckJetStream returns an error unless JetStream is enabled for the connection's account.
func CheckJetStream(ctx context.Context, nc *nats.Conn) error {
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	if _, err := js.AccountInfo(ctx); err != nil {
		return fmt.Errorf("JetStream on %s: %w: start the server with JetStream (-js), and enable it for the account", nc.ConnectedAddr(), err)
	}
	return nil
}

// EnsureStreams creates the streams and the durable if they are missing. It leaves existing ones unchanged, so that an
// operator's settings are kept. It returns the durable, and what it created for the log ("stream UPLOADS").
func EnsureStreams(ctx context.Context, js jetstream.JetStream, o StreamOptions) (durable jetstream.Consumer, created []string, err error) {
	streams := []jetstream.StreamConfig{
		{
			Name: event.UploadsStream, Subjects: []string{event.UploadsSubject}, Replicas: o.Replicas,
			Description: "Uploads that are not decided yet",
			// Only an acknowledgement deletes an upload. A full stream refuses new uploads, which their publishers see,
			// instead of dropping old ones unnoticed.
			Retention: jetstream.WorkQueuePolicy, Discard: jetstream.DiscardNew,
			Duplicates: o.DuplicateWindow, AllowDirect: true,
		},
		{
			Name: event.DecisionsStream, Subjects: []string{event.DecisionsSubject}, Replicas: o.Replicas,
			Description: "Decisions on uploads", MaxAge: o.KeepDecisions, Duplicates: min(o.DuplicateWindow, o.KeepDecisions),
			Compression: jetstream.S2Compression, AllowDirect: true,
		},
	}
	for _, cfg := range streams {
		made, err := ensureStream(ctx, js, cfg)
		if err != nil {
			return nil, created, err
		}
		if made {
			created = append(created, "stream "+cfg.Name)
		}
	}
	durable, err = js.Consumer(ctx, event.UploadsStream, event.DurableName)
	if !errors.Is(err, jetstream.ErrConsumerNotFound) {
		if err != nil {
			return nil, created, fmt.Errorf("look up the durable %s of stream %s: %w", event.DurableName, event.UploadsStream, err)
		}
		return durable, created, checkDurable(durable)
	}
	durable, err = js.CreateConsumer(ctx, event.UploadsStream, jetstream.ConsumerConfig{
		Durable: event.DurableName, AckPolicy: jetstream.AckExplicitPolicy, AckWait: o.AckWait, MaxAckPending: o.MaxAckPending,
		// The consumer counts deliveries itself: the server would stop delivering an upload that is still undecided.
		MaxDeliver: -1,
	})
	if errors.Is(err, jetstream.ErrConsumerExists) { // by another replica meanwhile
		durable, err = js.Consumer(ctx, event.UploadsStream, event.DurableName)
	}
	if err != nil {
		return nil, created, fmt.Errorf("create the durable %s of stream %s: %w", event.DurableName, event.UploadsStream, err)
	}
	return durable, append(created, "durable "+event.DurableName), nil
}

func ensureStream(ctx context.Context, js jetstream.JetStream, cfg jetstream.StreamConfig) (made bool, err error) {
	_, err = js.Stream(ctx, cfg.Name)
	if err == nil {
		return false, nil
	}
	if !errors.Is(err, jetstream.ErrStreamNotFound) {
		return false, fmt.Errorf("look up stream %s: %w", cfg.Name, err)
	}
	_, err = js.CreateStream(ctx, cfg)
	if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // by another replica meanwhile
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("create stream %s for %v: %w", cfg.Name, cfg.Subjects, err)
	}
	return true, nil
}

// checkDurable refuses a durable that does not acknowledge explicitly: it would lose uploads or redeliver them for ever.
func checkDurable(durable jetstream.Consumer) error {
	cfg := durable.CachedInfo().Config
	if cfg.AckPolicy != jetstream.AckExplicitPolicy {
		return fmt.Errorf("the durable %s has the ack policy %v, wanted explicit: delete it with `nats consumer rm %s %s`; moderator creates it at its next start", event.DurableName, cfg.AckPolicy, event.UploadsStream, event.DurableName)
	}
	return nil
}
