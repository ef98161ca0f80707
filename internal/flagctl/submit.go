package flagctl

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"moderator/internal/endpoint"
	"moderator/internal/event"
)

type submitCommand struct {
	Subject string        `help:"Subject to publish to." default:"uploads.flagctl"`
	Wait    time.Duration `help:"How long to wait for the decisions." default:"60s"`
	Picture []string      `arg:"" help:"Files, folders and URLs; - is standard input." predictor:"file"`
}

// submitted is one upload and its decision.
type submitted struct {
	Picture  string          `json:"picture"`
	Error    string          `json:"error,omitempty"`
	Decision *event.Decision `json:"decision,omitempty"`
}

func (s *submitCommand) Run(ctx context.Context, c *cli) error {
	sources, err := c.expand(s.Picture)
	if err != nil {
		return err
	}
	servers, err := endpoint.NATS(c.Stack)
	if err != nil {
		return err
	}
	nc, err := endpoint.ConnectNATS(servers, "flagctl submit", slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	// Subscribe before the first upload is published, so that no decision is missed.
	decisions := make(chan *nats.Msg, 1024)
	subscription, err := nc.ChanSubscribe("decisions.>", decisions)
	if err != nil {
		return err
	}
	defer func() { _ = subscription.Unsubscribe() }()

	results := make([]submitted, len(sources))
	waiting := map[string]int{} // upload id → place in results
	for i, source := range sources {
		results[i].Picture = named(source)
		id, err := s.publish(ctx, c, js, source)
		if err != nil {
			results[i].Error = err.Error()
			continue
		}
		waiting[id] = i
	}
	s.await(ctx, decisions, waiting, results)
	return s.report(c, results)
}

// publish sends one upload and returns its id. A file that is too large for a message goes through an object store.
func (s *submitCommand) publish(ctx context.Context, c *cli, js jetstream.JetStream, source string) (id string, err error) {
	data, err := read(ctx, source, c.MaxUploadBytes)
	if err != nil {
		return "", err
	}
	id = "flagctl-" + uuid.NewString()
	msg := nats.NewMsg(s.Subject)
	msg.Header.Set(jetstream.MsgIDHeader, id)
	msg.Data = data
	if int64(len(data)) > js.Conn().MaxPayload()-headerRoom {
		if msg.Data, err = store(ctx, js, filepath.Base(named(source)), data); err != nil {
			return "", err
		}
		msg.Header.Set("Content-Type", "application/json")
	}
	if _, err := js.PublishMsg(ctx, msg); err != nil {
		return "", fmt.Errorf("publish to %s: %w: is a moderator running on this server?", s.Subject, err)
	}
	return id, nil
}

const (
	headerRoom    = 4 << 10
	submitBucket  = "flagctl-submit"
	submitKeepFor = time.Hour
)

// store puts a file into flagctl's own bucket and returns a reference to it.
func store(ctx context.Context, js jetstream.JetStream, name string, data []byte) ([]byte, error) {
	bucket, err := js.CreateOrUpdateObjectStore(ctx, jetstream.ObjectStoreConfig{Bucket: submitBucket, TTL: submitKeepFor})
	if err != nil {
		return nil, fmt.Errorf("object store %s: %w", submitBucket, err)
	}
	object := fmt.Sprintf("%d-%s", time.Now().UnixNano(), name)
	if _, err := bucket.PutBytes(ctx, object, data); err != nil {
		return nil, fmt.Errorf("object store %s: %w", submitBucket, err)
	}
	return json.Marshal(map[string]any{"object": event.Object{Bucket: submitBucket, Name: object}})
}

// await reads decisions until each upload has one, or until the time is over.
func (s *submitCommand) await(ctx context.Context, decisions <-chan *nats.Msg, waiting map[string]int, results []submitted) {
	ctx, cancel := context.WithTimeout(ctx, s.Wait)
	defer cancel()
	for len(waiting) > 0 {
		select {
		case msg := <-decisions:
			e, err := event.DecodeDecision(msg.Data)
			if err != nil {
				continue // not a decision
			}
			if i, ours := waiting[e.Subject]; ours {
				results[i].Decision = &e.Data
				delete(waiting, e.Subject)
			}
		case <-ctx.Done():
			for _, i := range waiting {
				results[i].Error = fmt.Sprintf("no decision within %v: is a moderator running?", s.Wait)
			}
			return
		}
	}
}

func (s *submitCommand) report(c *cli, results []submitted) error {
	failed := 0
	rows := make([][]string, len(results))
	for i, r := range results {
		d := r.Decision
		if d == nil {
			failed++
			rows[i] = []string{"failed", "-", "-", "-", "-", "-", "-", r.Picture, r.Error}
			continue
		}
		row := []string{string(d.Verdict), string(d.Reason), "-", "-", "-", "-", "-", r.Picture, d.Detail}
		if d.Score != nil {
			row[2], row[3] = string(d.Signal), number(*d.Score)
		}
		if d.Match != nil {
			row[4], row[5], row[6] = d.Match.Bank, d.Match.View, d.Match.FlaggedID
		}
		rows[i] = row
	}
	if err := c.print(results, "VERDICT\tREASON\tSIGNAL\tSCORE\tBANK\tVIEW\tFLAG\tPICTURE\tDETAIL", rows); err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%s got no decision: see the lines marked failed", plural(failed, "upload"))
	}
	return nil
}
