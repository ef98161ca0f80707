package consumer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"moderator/internal/event"
	"moderator/internal/feature"
	"moderator/internal/verdict"
)

func (c *Consumer) embedAll(ctx context.Context, in <-chan []*item, out chan<- []*item) {
	for batch := range in {
		c.metrics.batches.Observe(float64(len(batch)))
		if batch = c.embed(ctx, batch); len(batch) > 0 {
			out <- batch
		}
	}
}

// embed sets the vectors of the items' views. It returns the items that go on to be matched and naks the others.
func (c *Consumer) embed(ctx context.Context, batch []*item) []*item {
	var crops [][]byte
	for _, it := range batch {
		for _, view := range it.views {
			crops = append(crops, view.Crops...)
		}
	}
	start := time.Now()
	var vectors [][]float32
	err := c.call(ctx, c.Embedder.Dependency(), func() (err error) {
		timed, cancel := context.WithTimeout(ctx, c.cfg.Budget)
		defer cancel()
		vectors, err = c.Embedder.Embed(timed, crops)
		return err
	})
	if err != nil && len(batch) > 1 && ctx.Err() == nil {
		return c.oneByOne(ctx, batch, c.embed)
	}
	took := since(start)
	var good []*item
	for _, it := range batch {
		if it.undecodable != nil {
			good = append(good, it)
			continue
		}
		it.decision.Timing.Embed = took
		c.metrics.observe(stageEmbed, took)
		c.stageSpan(it, stageEmbed, start, err)
		if err != nil {
			c.retry(ctx, it, stageEmbed, err)
			continue
		}
		complete := true
		for i := range it.views {
			view := &it.views[i]
			models := len(view.Crops)
			view.Vectors, view.Crops = vectors[:models:models], nil
			vectors = vectors[models:]
			complete = complete && !slices.ContainsFunc(view.Vectors, func(v []float32) bool { return v == nil })
		}
		if !complete {
			it.views, it.undecodable = nil, &event.Unjudgeable{Reason: event.Undecodable, Err: errors.New("the model returned no usable vector: it is zero or not finite")}
		}
		good = append(good, it)
	}
	return good
}

func (c *Consumer) finishAll(ctx context.Context, in <-chan []*item) {
	for batch := range in {
		c.finish(ctx, batch)
	}
}

// oneByOne repeats a stage for each upload of a batch that failed, so that only the upload at fault fails.
func (c *Consumer) oneByOne(ctx context.Context, batch []*item, stage func(context.Context, []*item) []*item) (good []*item) {
	for _, it := range batch {
		good = append(good, stage(ctx, []*item{it})...)
	}
	return good
}

func (c *Consumer) finish(ctx context.Context, batch []*item) {
	if batch = c.match(ctx, batch); len(batch) > 0 {
		c.publish(ctx, batch)
	}
}

// match sets the items' decisions. It returns the items that were decided and naks the others.
func (c *Consumer) match(ctx context.Context, batch []*item) (decided []*item) {
	queries := make([]feature.Query, len(batch))
	for i, it := range batch {
		u := it.decision.Upload
		queries[i] = feature.Query{SHA256: u.SHA256, File: it.data, Views: it.views, Width: u.Width, Height: u.Height, Grey: it.grey}
	}
	start := time.Now()
	var hits [][]verdict.Hit
	err := c.call(ctx, c.Matcher.Dependency(), func() (err error) {
		timed, cancel := context.WithTimeout(ctx, c.cfg.Budget)
		defer cancel()
		if hits, err = c.Matcher.Match(timed, queries); err != nil {
			return err
		}
		return checkHits(hits, len(queries))
	})
	if err != nil && len(batch) > 1 && ctx.Err() == nil {
		return c.oneByOne(ctx, batch, c.match)
	}
	took := since(start)
	for i, it := range batch {
		it.decision.Timing.Match = took
		c.metrics.observe(stageMatch, took)
		c.stageSpan(it, stageMatch, start, err)
		if err != nil {
			c.retry(ctx, it, stageMatch, err)
			continue
		}
		if it.undecodable != nil {
			verdict.JudgeUndecodable(&it.decision, it.undecodable, hits[i])
		} else {
			verdict.Judge(&it.decision, it.views, hits[i])
		}
		decided = append(decided, it)
	}
	return decided
}

// checkHits refuses results that are incomplete or not finite: comparisons with NaN are false, so the upload would be allowed.
func checkHits(hits [][]verdict.Hit, uploads int) error {
	if len(hits) != uploads {
		return fmt.Errorf("match returned %d results for %d uploads", len(hits), uploads)
	}
	for _, row := range hits {
		for _, hit := range row {
			if math.IsNaN(hit.Score) || math.IsInf(hit.Score, 0) || math.IsNaN(hit.Similarity) || math.IsInf(hit.Similarity, 0) {
				return fmt.Errorf("match returned score %v and similarity %v for %s", hit.Score, hit.Similarity, hit.FlaggedID)
			}
		}
	}
	return nil
}

// review decides an upload review, without comparing it with the library.
func (c *Consumer) review(ctx context.Context, it *item, reason event.Reason, why error) {
	verdict.Review(&it.decision, reason, why)
	c.publish(ctx, []*item{it})
}
