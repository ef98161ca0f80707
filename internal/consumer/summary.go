package consumer

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"moderator/internal/event"
)

// summaryEvery is the time between two log lines that count the decisions.
const summaryEvery = time.Minute

// summary counts decisions since the last log line.
type summary struct{ allow, review, block atomic.Int64 }

func (s *summary) count(v event.Verdict) {
	switch v {
	case event.Allow:
		s.allow.Add(1)
	case event.Review:
		s.review.Add(1)
	case event.Block:
		s.block.Add(1)
	}
}

// log writes the counts, unless there were no decisions.
func (s *summary) log(logger *slog.Logger) {
	allow, review, block := s.allow.Swap(0), s.review.Swap(0), s.block.Swap(0)
	if allow+review+block > 0 {
		logger.Info("decided", "uploads", allow+review+block, "allow", allow, "review", review, "block", block)
	}
}

func (c *Consumer) summarize(ctx context.Context) {
	ticker := time.NewTicker(summaryEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			c.summary.log(c.Logger)
			return
		case <-ticker.C:
			c.summary.log(c.Logger)
		}
	}
}
