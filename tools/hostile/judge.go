package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"moderator/tools/internal/embedded"
)

const (
	subject = "uploads.hostile"
	bucket  = "hostile"
)

// judge publishes the uploads and records the reason of each decision. It returns when all are decided, when the moderator
// has ended, or after patience without a decision. An error may mean that the moderator has ended.
func judge(ctx context.Context, m *embedded.Moderator, uploads []upload, patience time.Duration) error {
	nc, err := nats.Connect(m.State.NATSURL)
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	decisions, err := js.OrderedConsumer(ctx, "DECISIONS", jetstream.OrderedConsumerConfig{})
	if err != nil {
		return fmt.Errorf("read the decisions: %w", err)
	}
	if err := publish(ctx, js, uploads); err != nil {
		return err
	}
	byKey := map[string]*upload{}
	for i := range uploads {
		byKey[uploads[i].key] = &uploads[i]
	}
	for last := time.Now(); len(byKey) > 0 && time.Since(last) < patience && m.Ended() == nil && ctx.Err() == nil; {
		batch, err := decisions.Fetch(100, jetstream.FetchMaxWait(time.Second))
		if err != nil {
			time.Sleep(100 * time.Millisecond) // the loop ends if the moderator has ended
			continue
		}
		for msg := range batch.Messages() {
			var d struct {
				Data struct {
					Verdict, Reason string
					Upload          struct {
						Stream   string
						Sequence uint64
					}
				} `json:"data"`
			}
			if err := json.Unmarshal(msg.Data(), &d); err != nil {
				return fmt.Errorf("a decision is not JSON: %w", err)
			}
			key := fmt.Sprintf("%s:%d", d.Data.Upload.Stream, d.Data.Upload.Sequence)
			if u := byKey[key]; u != nil {
				u.reason = d.Data.Verdict + "/" + d.Data.Reason
				delete(byKey, key)
				last = time.Now()
			}
		}
	}
	return ctx.Err()
}

// publish publishes each upload inline, or through the object store if it is too large for a message.
func publish(ctx context.Context, js jetstream.JetStream, uploads []upload) error {
	objects, err := js.CreateObjectStore(ctx, jetstream.ObjectStoreConfig{Bucket: bucket})
	if err != nil {
		return fmt.Errorf("object store: %w", err)
	}
	const headers = 4 << 10
	for i := range uploads {
		u := &uploads[i]
		msg := nats.NewMsg(subject)
		msg.Data = u.data
		if int64(len(u.data)) > js.Conn().MaxPayload()-headers {
			name := fmt.Sprint(i)
			if _, err := objects.PutBytes(ctx, name, u.data); err != nil {
				return fmt.Errorf("store %s: %w", u.name, err)
			}
			msg.Header.Set("Content-Type", "application/json")
			msg.Data = fmt.Appendf(nil, `{"id": %q, "object": {"bucket": %q, "name": %q}}`, name, bucket, name)
		}
		ack, err := js.PublishMsg(ctx, msg)
		if err != nil {
			return fmt.Errorf("publish %s: %w", u.name, err)
		}
		u.key = fmt.Sprintf("%s:%d", ack.Stream, ack.Sequence)
	}
	return nil
}
