package console

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/image/draw"

	"moderator/internal/config"
	"moderator/internal/event"
	"moderator/internal/imaging"
)

// PreviewBucket is the JetStream object store of previews. It is created if it does not exist.
type PreviewBucket struct {
	Name     string        // "": no previews are kept
	Age      time.Duration // after which a preview is deleted
	Replicas int
}

const (
	previewSide  = 320      // longer side of a preview in pixels
	previewQueue = 256      // uploads that wait for their preview; further ones get none
	previewBytes = 64 << 20 // the same, of their files together
	previewTime  = 30 * time.Second
)

// Previews keeps small pictures of uploads that came inside their messages, for people who review them. It has a decode worker of
// its own. End it with Stop. A nil *Previews keeps nothing.
type Previews struct {
	store   jetstream.ObjectStore
	viewer  viewer
	log     *slog.Logger
	queue   chan inlineUpload
	waiting atomic.Int64 // bytes in the queue
	dropped atomic.Int64 // uploads that found no room since the last preview
	cancel  context.CancelFunc
	done    chan struct{}
}

// inlineUpload is an upload that waits for its preview.
type inlineUpload struct {
	upload event.UploadInfo
	file   []byte
}

// StartPreviews opens the bucket. It returns nil if the bucket has no name.
func StartPreviews(ctx context.Context, js jetstream.JetStream, bucket PreviewBucket, limits imaging.Limits, s config.Sandbox, log *slog.Logger) (*Previews, error) {
	if bucket.Name == "" {
		return nil, nil
	}
	store, err := js.ObjectStore(ctx, bucket.Name)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		store, err = js.CreateObjectStore(ctx, jetstream.ObjectStoreConfig{
			Bucket: bucket.Name, Description: "Small pictures of uploads in review.", TTL: bucket.Age, Replicas: bucket.Replicas,
		})
	}
	if err != nil {
		return nil, fmt.Errorf("previews: bucket %q: %w", bucket.Name, err)
	}
	p := &Previews{store: store, log: log, queue: make(chan inlineUpload, previewQueue), done: make(chan struct{})}
	if p.viewer, err = newViewer(limits, s, log); err != nil {
		return nil, err
	}
	ctx, p.cancel = context.WithCancel(context.WithoutCancel(ctx))
	go p.run(ctx)
	return p, nil
}

// Keep implements consumer.Previews.
func (p *Previews) Keep(u event.UploadInfo, file []byte) {
	if p.waiting.Add(int64(len(file))) <= previewBytes {
		select {
		case p.queue <- inlineUpload{u, file}:
			return
		default:
		}
	}
	p.waiting.Add(-int64(len(file)))
	p.dropped.Add(1)
}

// Stop ends the keeping. Uploads that wait get no preview. Keep must not be called any more.
func (p *Previews) Stop() {
	if p == nil {
		return
	}
	p.cancel()
	<-p.done
	p.viewer.pool.Close()
}

func (p *Previews) run(ctx context.Context) {
	defer close(p.done)
	for {
		select {
		case <-ctx.Done():
			return
		case u := <-p.queue:
			if err := p.put(ctx, u); err != nil {
				p.log.Debug("an upload in review has no preview", "upload", u.upload.ID, "error", err)
			}
			p.waiting.Add(-int64(len(u.file)))
			if n := p.dropped.Swap(0); n > 0 {
				p.log.Warn("uploads in review have no preview: too many wait", "uploads", n)
			}
		}
	}
}

func (p *Previews) put(ctx context.Context, u inlineUpload) error {
	ctx, cancel := context.WithTimeout(ctx, previewTime)
	defer cancel()
	frames, err := p.viewer.Frames(ctx, u.file)
	if err != nil {
		return err
	}
	whole := sheet(frames)
	size := whole.Bounds().Size()
	longer := max(size.X, size.Y, previewSide)
	small := image.NewRGBA(image.Rect(0, 0, max(1, size.X*previewSide/longer), max(1, size.Y*previewSide/longer)))
	draw.CatmullRom.Scale(small, small.Bounds(), whole, whole.Bounds(), draw.Src, nil)
	var file bytes.Buffer
	if err := jpeg.Encode(&file, small, &jpeg.Options{Quality: 80}); err != nil {
		return err
	}
	_, err = p.store.PutBytes(ctx, u.upload.Key(), file.Bytes())
	return err
}

// get returns the preview of an upload.
func (p *Previews) get(ctx context.Context, u event.UploadInfo) ([]byte, error) {
	data, err := p.store.GetBytes(ctx, u.Key())
	if errors.Is(err, jetstream.ErrObjectNotFound) {
		return nil, &problem{http.StatusGone, "The picture came inside its message, and has no preview, or no longer has one."}
	}
	return data, err
}
