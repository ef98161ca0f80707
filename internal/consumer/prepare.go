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

// prepareAll fetches and decodes uploads in parallel. What fails is dealt with here and goes no further,
// but for a file that shows nothing: it may be flagged itself.
func (c *Consumer) prepareAll(ctx context.Context, in <-chan *item, out chan<- *item) {
	sideBySide(c.cfg.Workers, func() {
		for it := range in {
			ok := c.prepare(ctx, it)
			c.coming.Add(-1) // before it is handed on: nothing waits for itself
			if ok {
				out <- it
			}
			<-c.busy
		}
	})
}

// prepare fills in the item's views, or why it has none, and says whether it can go on.
func (c *Consumer) prepare(ctx context.Context, it *item) bool {
	if it.refused != nil {
		c.unjudgeable(ctx, it, it.refused.Reason, it.refused.Err)
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
	c.shrinkHold(it, int64(len(data)))
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
	err := c.ask(ctx, *store, func() (err error) {
		data, err = c.fetch(ctx, it)
		return err
	})
	return data, err
}

// fetch begins anew where there was no room for what the store announced, once there is. Until then it holds nothing: if
// several held a part and waited for the rest, none might ever get it.
func (c *Consumer) fetch(ctx context.Context, it *item) ([]byte, error) {
	for {
		data, err := c.Fetcher.Fetch(ctx, it.upload, c.cfg.MaxUploadBytes, func(bytes int64) bool { return c.growHold(it, bytes) })
		var full *event.NoRoom
		if !errors.As(err, &full) {
			return data, err
		}
		c.shrinkHold(it, 0)
		if err := c.hold(ctx, it, full.Bytes); err != nil {
			return nil, err
		}
	}
}

// failed deals with an item whose stage returned err; it is false, as such an item goes no further.
func (c *Consumer) failed(ctx context.Context, it *item, stage string, err error) bool {
	var verdict *event.Unjudgeable
	if errors.As(err, &verdict) {
		c.unjudgeable(ctx, it, verdict.Reason, verdict.Err)
	} else {
		c.giveBack(ctx, it, stage, err)
	}
	return false
}
