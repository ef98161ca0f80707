package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"moderator/tools/internal/web"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// forms are the ways of publishing an upload. Successive uploads take successive forms.
var forms = []struct {
	name string
	make func(ctx context.Context, p *publisher, u *upload) (*nats.Msg, error)
}{
	{"inline", inline},
	{"object store", objectStore},
	{"URL", byURL},
	{"CloudEvent binary", eventBinary},
	{"CloudEvent structured", eventStructured},
}

func formNames() string {
	names := make([]string, len(forms))
	for i, f := range forms {
		names[i] = f.name
	}
	return strings.Join(names, ", ")
}

func inline(_ context.Context, _ *publisher, u *upload) (*nats.Msg, error) {
	return message(u.data, "Nats-Msg-Id", u.id), nil
}

func objectStore(ctx context.Context, p *publisher, u *upload) (*nats.Msg, error) {
	if _, err := p.objects.PutBytes(ctx, u.id, u.data); err != nil {
		return nil, err
	}
	return reference(map[string]any{"id": u.id, "object": map[string]string{"bucket": bucketName, "name": u.id}})
}

func byURL(_ context.Context, p *publisher, u *upload) (*nats.Msg, error) {
	return reference(map[string]any{"id": u.id, "url": p.web.Put(u.id, u.data), "uploader": "demo"})
}

func eventBinary(_ context.Context, _ *publisher, u *upload) (*nats.Msg, error) {
	return message(u.data, "ce-specversion", "1.0", "ce-type", "demo.upload", "ce-source", "/demo", "ce-id", u.id,
		"Content-Type", "image/*"), nil
}

func eventStructured(_ context.Context, _ *publisher, u *upload) (*nats.Msg, error) {
	event, err := json.Marshal(map[string]any{
		"specversion": "1.0", "type": "demo.upload", "source": "/demo", "id": u.id, "data_base64": u.data,
	})
	return message(event, "Content-Type", "application/cloudevents+json"), err
}

func reference(fields map[string]any) (*nats.Msg, error) {
	body, err := json.Marshal(fields)
	return message(body, "Content-Type", "application/json"), err
}

func message(body []byte, headers ...string) *nats.Msg {
	msg := nats.NewMsg("uploads.demo")
	msg.Data = body
	for i := 0; i < len(headers); i += 2 {
		msg.Header.Set(headers[i], headers[i+1])
	}
	return msg
}

const bucketName = "demo"

// publisher publishes uploads and receives decisions, as a platform does.
type publisher struct {
	nc        *nats.Conn
	js        jetstream.JetStream
	objects   jetstream.ObjectStore
	web       *web.Server
	decisions chan *nats.Msg
	sent      int
}

func newPublisher(ctx context.Context, url string, pictures *web.Server) (*publisher, error) {
	nc, err := nats.Connect(url)
	if err != nil {
		return nil, err
	}
	p := &publisher{nc: nc, web: pictures, decisions: make(chan *nats.Msg, 4096)}
	if p.js, err = jetstream.New(nc); err != nil {
		return nil, err
	}
	if p.objects, err = p.js.CreateObjectStore(ctx, jetstream.ObjectStoreConfig{Bucket: bucketName}); err != nil {
		return nil, fmt.Errorf("object store: %w", err)
	}
	_, err = nc.ChanSubscribe("decisions.>", p.decisions)
	return p, err
}

func (p *publisher) close() { p.nc.Close() }

// publish publishes the upload's own message if it has one, and else its file in the next form. A file that is too large for a
// message goes through the object store.
func (p *publisher) publish(ctx context.Context, u *upload) (err error) {
	msg := u.message
	if msg == nil {
		form := forms[p.sent%len(forms)]
		p.sent++
		if int64(len(u.data))*4/3+4096 > p.nc.MaxPayload() {
			form = forms[1]
		}
		u.form = form.name
		if msg, err = form.make(ctx, p, u); err != nil {
			return err
		}
	}
	ack, err := p.js.PublishMsg(ctx, msg)
	if err != nil {
		return err
	}
	u.key = fmt.Sprintf("%s:%d", ack.Stream, ack.Sequence)
	return nil
}

// await receives decisions until each upload has one, and then for 300 ms, as a second decision would be an error.
func (p *publisher) await(ctx context.Context, uploads []upload, wait time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	byKey := map[string]*upload{}
	for i := range uploads {
		byKey[uploads[i].key] = &uploads[i]
	}
	var second <-chan time.Time
	for left := len(uploads); ; {
		select {
		case msg := <-p.decisions:
			var d decision
			if err := json.Unmarshal(msg.Data, &d); err != nil {
				continue
			}
			u := byKey[fmt.Sprintf("%s:%d", d.Data.Upload.Stream, d.Data.Upload.Sequence)]
			if u == nil {
				continue
			}
			u.decisions = append(u.decisions, d)
			if len(u.decisions) == 1 {
				left--
			}
			if left == 0 && second == nil {
				second = time.After(300 * time.Millisecond)
			}
		case <-second:
			return
		case <-ctx.Done():
			return
		}
	}
}
