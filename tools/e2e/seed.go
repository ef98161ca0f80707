package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"moderator/internal/decisions"
	"moderator/internal/event"
	"moderator/internal/synth"
	"moderator/tools/internal/embedded"
	"moderator/tools/internal/web"
)

// evil is a hostile name of a picture.
const evil = `<script>alert("upload")</script><img src=x onerror=alert(1)>`

// seeded is what seed has put into the moderator.
type seeded struct {
	nc       *nats.Conn
	js       jetstream.JetStream
	uploads  int
	pictures []string // files on disk, for the pages that take pictures
	// Sequence numbers in DECISIONS: of a review of an upload with a hostile name and a picture, and of a block.
	hostile, blocked uint64
	toFlag           uint64 // of one with a picture that is flagged in the bank default
	beside           uint64 // of an upload that shows a part of a flag, whose picture can be shown too
}

func (s *seeded) close() { s.nc.Close() }

// seed flags some pictures and publishes uploads of every kind. Some of them go to review.
func seed(ctx context.Context, m *embedded.Moderator, pictures *web.Server) (s *seeded, err error) {
	s = &seeded{}
	dir := filepath.Join(m.Dir(), "pictures")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	for i := range 6 {
		path := filepath.Join(dir, synth.Name(i)+".jpg")
		if err := os.WriteFile(path, drawing(i, 90), 0o644); err != nil {
			return nil, err
		}
		s.pictures = append(s.pictures, path)
	}
	for _, args := range [][]string{
		{"add", "--source", "case 4711 " + evil, "--note", `reported twice "` + evil, s.pictures[0], s.pictures[1]},
		{"bank", "add", "spam"},
		{"add", "--bank", "spam", "--note", "campaign of March", s.pictures[2], s.pictures[3]},
		// Unrelated pictures go to review, too, so that the Review page has some.
		{"bank", "set", "spam", "--block-at=0.3", "--review-at=-2"},
		{"bank", "add", "theirs"},
		{"exchange", "add", "theirs", "--programme", "list", "--bank", "theirs", "--url", "/no/such/list.txt"},
		{"bank", "add", "watch"},
		{"bank", "set", "watch", "--review-only", "on"},
		{"add", "--bank", "watch", "--source", pictures.Put("watched.jpg", drawing(4, 90)), s.pictures[4]},
	} {
		if _, err := m.Flagctl(ctx, append([]string{"--as", "e2e"}, args...)...); err != nil {
			return nil, err
		}
	}
	if s.nc, err = nats.Connect(m.State.NATSURL); err != nil {
		return nil, err
	}
	if s.js, err = jetstream.New(s.nc); err != nil {
		return nil, err
	}
	return s, errors.Join(s.publish(ctx, pictures), s.queue(ctx), s.outage(ctx, pictures))
}

// queued is how many decisions wait for a review of themselves.
const queued = 100

// queue stores decisions on uploads that could not be fetched.
func (s *seeded) queue(ctx context.Context) error {
	for i := range queued {
		_, _, err := decisions.Store(ctx, s.js, event.Decision{
			Verdict: event.Review, Reason: event.FetchFailed, Detail: "cdn.example.com answers 503",
			Upload: event.UploadInfo{ID: fmt.Sprintf("queued-%03d", i), Stream: "EARLIER", Sequence: uint64(i + 1), Stored: time.Now(), Attributes: map[string]json.RawMessage{}},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// elsewhere is the upload that is decided while its page is open.
const elsewhere = "decided elsewhere"

// decideElsewhere blocks it, as another user.
func (s *seeded) decideElsewhere(ctx context.Context, consoleURL string) error {
	stream, err := s.js.Stream(ctx, event.DecisionsStream)
	if err != nil {
		return err
	}
	msg, err := stream.GetMsg(ctx, s.toFlag-1)
	if err != nil {
		return err
	}
	e, err := event.DecodeDecision(msg.Data)
	if err != nil {
		return err
	}
	address, err := url.Parse(consoleURL)
	if err != nil {
		return err
	}
	form := url.Values{"decision": {"block"}, "decision_id": {e.ID}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprintf("%s/review/%d", base(consoleURL), msg.Sequence), strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Authorization", "Bearer "+address.Query().Get("token"))
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return err
	}
	if err := answer.Body.Close(); err != nil || answer.StatusCode != http.StatusSeeOther {
		return errors.Join(fmt.Errorf("deciding on %q: %s", e.Data.Upload.ID, answer.Status), err)
	}
	return nil
}

// outage stores decisions on uploads whose file server was away, and is back.
func (s *seeded) outage(ctx context.Context, pictures *web.Server) error {
	for i, id := range []string{"outage-0", "outage-1", "outage-2", elsewhere, "to be flagged"} {
		_, _, err := decisions.Store(ctx, s.js, event.Decision{
			Verdict: event.Review, Reason: event.FetchFailed, Detail: "cdn.example.com answers 503",
			Upload: event.UploadInfo{
				ID: id, Subject: "uploads.web", Stream: "EARLIER", Sequence: uint64(queued + i + 1), Stored: time.Now(),
				URL: pictures.Put(fmt.Sprintf("outage/%d.jpg", i), drawing(30+i, 60)), Attributes: map[string]json.RawMessage{},
			},
		})
		if err != nil {
			return err
		}
	}
	stream, err := s.js.Stream(ctx, event.DecisionsStream)
	if err != nil {
		return err
	}
	s.toFlag = stream.CachedInfo().State.LastSeq
	return nil
}

func (s *seeded) publish(ctx context.Context, pictures *web.Server) error {
	for i := range 40 {
		at := pictures.Put(fmt.Sprintf("pictures/%d.jpg", i), drawing(i%24, 60))
		reference := map[string]any{"id": fmt.Sprintf("photo-%04d", 8800+i), "url": at, "uploader": "u-17"}
		if i%10 == 7 {
			reference["id"], reference["album"] = fmt.Sprintf("%s-%d", evil, i), evil
		}
		body, err := json.Marshal(reference)
		if err != nil {
			return err
		}
		header := nats.Header{"Content-Type": {"application/json"}}
		if i%3 == 1 {
			header, body = nats.Header{"Nats-Msg-Id": {fmt.Sprintf("inline-%04d", i)}}, drawing(i%24, 60)
		}
		if i%15 == 4 {
			body = []byte("no picture at all")
		}
		if _, err := s.js.PublishMsg(ctx, &nats.Msg{Subject: "uploads.web", Header: header, Data: body}); err != nil {
			return err
		}
		s.uploads++
	}
	body, err := json.Marshal(map[string]any{"id": "a part of it", "url": pictures.Put("part.jpg", part(4)), "uploader": "u-18"})
	if err != nil {
		return err
	}
	if _, err := s.js.PublishMsg(ctx, &nats.Msg{Subject: "uploads.web", Header: nats.Header{"Content-Type": {"application/json"}}, Data: body}); err != nil {
		return err
	}
	s.uploads++
	stream, err := s.js.Stream(ctx, event.DecisionsStream)
	if err != nil {
		return err
	}
	for {
		info, err := stream.Info(ctx)
		if err != nil {
			return err
		}
		if info.State.Msgs >= uint64(s.uploads) {
			return s.choose(ctx, stream, info.State.LastSeq)
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("%d of %d uploads were decided: %w", info.State.Msgs, s.uploads, ctx.Err())
		}
	}
}

// choose finds the decisions that the paths open.
func (s *seeded) choose(ctx context.Context, stream jetstream.Stream, last uint64) error {
	tally := map[string]int{}
	for n := uint64(1); n <= last; n++ {
		msg, err := stream.GetMsg(ctx, n)
		if err != nil {
			return err
		}
		e, err := event.DecodeDecision(msg.Data)
		if err != nil {
			return err
		}
		tally[string(e.Data.Verdict+" because of ")+string(e.Data.Reason)]++
		switch d := e.Data; {
		case d.Verdict == event.Review && d.Reason == event.Match && strings.HasPrefix(d.Upload.ID, evil):
			s.hostile = n
		case d.Verdict == event.Block:
			s.blocked = n
		case d.Upload.ID == "a part of it":
			s.beside = n
		}
	}
	if s.hostile == 0 || s.blocked == 0 || s.beside == 0 {
		return fmt.Errorf("no decision blocks, or no upload with a hostile name or with a part of a flag is in review: %v", tally)
	}
	return nil
}

// part returns three quarters of each side of a drawing, with a patch over it.
func part(i int) []byte {
	whole := synth.Draw(7, i, 480, 360)
	draw.Draw(whole, image.Rect(300, 200, 380, 260), image.NewUniform(color.RGBA{200, 40, 40, 255}), image.Point{}, draw.Src)
	return encoded(whole.SubImage(image.Rect(100, 60, 460, 330)), 80)
}

func drawing(i, quality int) []byte {
	return encoded(synth.Draw(7, i, 480, 360), quality)
}

func encoded(picture image.Image, quality int) []byte {
	var file bytes.Buffer
	if err := jpeg.Encode(&file, picture, &jpeg.Options{Quality: quality}); err != nil {
		panic(err) // writing to a buffer does not fail
	}
	return file.Bytes()
}

// base returns the console's address without the token.
func base(consoleURL string) string {
	address, _, _ := strings.Cut(consoleURL, "/?")
	return address
}
