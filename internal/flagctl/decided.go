package flagctl

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"moderator/internal/endpoint"
	"moderator/internal/event"
	"moderator/internal/fetch"
)

// decided returns the picture of the upload that a decision stopped. It fetches the picture again, from where the upload's
// reference points or from the uploads' stream.
func (c *cli) decided(ctx context.Context, id string) ([]byte, error) {
	js, err := c.jetStream("flagctl allow")
	if err != nil {
		return nil, err
	}
	defer js.Conn().Close()
	d, err := findDecision(ctx, js, id)
	if err != nil {
		return nil, err
	}
	if d.Match == nil {
		return nil, fmt.Errorf("decision %s is %s/%s: no flag stopped the upload, so there is nothing to allow", id, d.Verdict, d.Reason)
	}
	data, err := c.uploaded(ctx, js, d.Upload)
	if err != nil {
		return nil, fmt.Errorf("the picture of decision %s cannot be fetched: %w: give its file instead", id, err)
	}
	if sum := sha256Hex(data); sum != d.Upload.SHA256 {
		return nil, fmt.Errorf("the picture of decision %s has changed: its SHA-256 is %s now, and was %s: give its file instead", id, sum, d.Upload.SHA256)
	}
	return data, nil
}

// findDecision searches the decisions that block or review. id is the event's or the upload's.
func findDecision(ctx context.Context, js jetstream.JetStream, id string) (event.Decision, error) {
	stream, err := js.Stream(ctx, event.DecisionsStream)
	if err != nil {
		return event.Decision{}, fmt.Errorf("stream %s: %w", event.DecisionsStream, err)
	}
	reader, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{event.DecisionSubject(event.Block), event.DecisionSubject(event.Review)},
	})
	if err != nil {
		return event.Decision{}, fmt.Errorf("stream %s: %w", event.DecisionsStream, err)
	}
	unknown := fmt.Errorf("decision %s: %s has no decision of this id that blocks or reviews; decisions are kept for --keep-decisions", id, event.DecisionsStream)
	info, err := reader.Info(ctx)
	if err != nil || info.NumPending == 0 {
		return event.Decision{}, errors.Join(unknown, err)
	}
	messages, err := reader.Messages(jetstream.PullMaxMessagesWithBytesLimit(500, 8<<20))
	if err != nil {
		return event.Decision{}, err
	}
	defer messages.Stop()
	var found *event.Decision
	for {
		msg, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return event.Decision{}, fmt.Errorf("stream %s: %w", event.DecisionsStream, err)
		}
		if e, err := event.DecodeDecision(msg.Data()); err == nil && (e.ID == id || e.Subject == id) {
			found = &e.Data // the newest wins
		}
		meta, err := msg.Metadata()
		switch {
		case err != nil:
			return event.Decision{}, err
		case meta.NumPending == 0 && found == nil:
			return event.Decision{}, unknown
		case meta.NumPending == 0:
			return *found, nil
		}
	}
}

// uploaded returns an upload's bytes. It fetches a URL from any address: a moderator was allowed to fetch it before.
func (c *cli) uploaded(ctx context.Context, js jetstream.JetStream, u event.UploadInfo) ([]byte, error) {
	switch {
	case u.URL != "":
		return download(ctx, u.URL, c.MaxUploadBytes)
	case u.Object != nil:
		f, err := fetch.New(fetch.Config{Timeout: time.Minute}, js)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return f.Fetch(ctx, event.Upload{Object: u.Object}, c.MaxUploadBytes, nil)
	}
	stream, err := js.Stream(ctx, u.Stream)
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", u.Stream, err)
	}
	msg, err := stream.GetMsg(ctx, u.Sequence)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, fmt.Errorf("the message contained it, and %s drops a message once it is decided", u.Stream)
	}
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", u.Stream, err)
	}
	if !u.Stored.IsZero() && !msg.Time.Equal(u.Stored) {
		return nil, fmt.Errorf("the message contained it and is deleted: message %d of %s is another one now", u.Sequence, u.Stream)
	}
	upload, err := event.ParseUpload(event.Message{
		Subject: msg.Subject, Header: msg.Header, Data: msg.Data, Stream: u.Stream, Sequence: u.Sequence,
	})
	if err == nil && upload.Body == nil {
		err = errors.New("its decision does not say where it was fetched from")
	}
	return upload.Body, err
}

// jetStream connects to the moderators' NATS servers; the caller closes the connection.
func (c *cli) jetStream(name string) (jetstream.JetStream, error) {
	servers, err := endpoint.NATS(c.Stack)
	if err != nil {
		return nil, err
	}
	nc, err := endpoint.ConnectNATS(servers, name, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	js, err := jetstream.New(nc)
	if err != nil {
		nc.Close()
	}
	return js, err
}
