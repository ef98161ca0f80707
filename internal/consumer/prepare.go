package consumer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"moderator/internal/event"
)

// prepareAll fetches and decodes uploads in parallel. An undecodable file goes on, because its hash may be flagged.
// Other uploads that fail are nak'd or decided here.
func (c *Consumer) prepareAll(ctx context.Context, in <-chan *item, out chan<- *item) {
	runParallel(c.cfg.Workers, func() {
		for it := c.next(in); it != nil; it = c.next(in) {
			ok := c.prepare(ctx, it)
			c.preparing.Add(-1) // before the send: the batch must not wait for an upload that it already has
			if ok {
				out <- it
			}
			<-c.workerSlots
		}
	})
}

// next returns an upload of the stream or of Judge; nil when in is closed.
func (c *Consumer) next(in <-chan *item) *item {
	select {
	case it := <-in:
		return it
	case it := <-c.submitted:
		return it
	}
}

// prepare sets the item's views or its undecodable. It reports whether the item goes on to the next stage.
func (c *Consumer) prepare(ctx context.Context, it *item) bool {
	if it.rejected != nil {
		c.review(ctx, it, it.rejected.Reason, it.rejected.Err)
		return false
	}
	start := time.Now()
	data, err := c.bytesOf(ctx, it)
	it.decision.Timing.Fetch = since(start)
	c.metrics.observe(stageFetch, it.decision.Timing.Fetch)
	c.stageSpan(it, stageFetch, start, err)
	if err != nil {
		return c.failed(ctx, it, stageFetch, err)
	}
	c.shrinkReservation(it, int64(len(data)))
	sum := sha256.Sum256(data)
	it.decision.Upload.SHA256 = hex.EncodeToString(sum[:])
	it.data = data
	it.decision.Upload.Bytes = len(data)

	start = time.Now()
	picture, err := c.Decoder.Decode(ctx, data)
	it.decision.Timing.Decode = since(start)
	c.metrics.observe(stageDecode, it.decision.Timing.Decode)
	c.stageSpan(it, stageDecode, start, err)
	if errors.As(err, &it.undecodable) {
		return true
	}
	if err != nil {
		return c.failed(ctx, it, stageDecode, err)
	}
	it.decision.Upload.Format = picture.Format
	it.decision.Upload.Width, it.decision.Upload.Height = picture.Width, picture.Height
	it.views, it.grey = picture.Views, picture.Grey
	return true
}

func (c *Consumer) bytesOf(ctx context.Context, it *item) ([]byte, error) {
	if body := it.upload.Body; body != nil {
		if size := int64(len(body)); size > c.cfg.MaxUploadBytes {
			return nil, &event.Unjudgeable{Reason: event.TooLarge, Err: fmt.Errorf("the upload is %d bytes, wanted at most %d", size, c.cfg.MaxUploadBytes)}
		}
		return body, nil
	}
	store := c.Fetcher.Dependency(it.upload)
	if store == nil {
		return c.fetch(ctx, it)
	}
	var data []byte
	err := c.call(ctx, *store, func() (err error) {
		data, err = c.fetch(ctx, it)
		return err
	})
	return data, err
}

// fetch waits for admission and starts over if the file is larger than the memory that is free. Meanwhile it reserves
// nothing: workers that each held a part of the memory and waited for the rest would deadlock.
func (c *Consumer) fetch(ctx context.Context, it *item) ([]byte, error) {
	for {
		data, err := c.Fetcher.Fetch(ctx, it.upload, c.cfg.MaxUploadBytes, func(bytes int64) bool { return c.growReservation(it, bytes) })
		var refused *event.NotAdmitted
		if !errors.As(err, &refused) {
			return data, err
		}
		c.shrinkReservation(it, 0)
		if err := c.reserve(ctx, it, refused.Bytes); err != nil {
			return nil, err
		}
	}
}

// failed decides or naks an item whose stage returned err. It returns false: the item does not go on.
func (c *Consumer) failed(ctx context.Context, it *item, stage string, err error) bool {
	var permanent *event.Unjudgeable
	if errors.As(err, &permanent) {
		c.review(ctx, it, permanent.Reason, permanent.Err)
	} else {
		c.retry(ctx, it, stage, err)
	}
	return false
}
