package consumer

import (
	"context"
	"sync/atomic"
	"testing"

	"moderator/internal/event"

	"github.com/stretchr/testify/require"
)

// gatedEmbedder blocks every batch until gate is closed.
type gatedEmbedder struct {
	Embedder
	inFlight atomic.Int64
	gate     chan struct{}
}

func (g *gatedEmbedder) Embed(ctx context.Context, crops [][]byte) ([][]float32, error) {
	g.inFlight.Add(1)
	defer g.inFlight.Add(-1)
	select {
	case <-g.gate:
		return g.Embedder.Embed(ctx, crops)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func TestEachDeviceHasTwoBatches(t *testing.T) {
	t.Parallel()
	h := newHarness(t, func(c *Config) { c.BatchSize, c.Devices, c.Workers = 1, 3, 8 })
	c := h.consumer()
	gated := &gatedEmbedder{Embedder: fakeEmbedder{h.fakes}, gate: make(chan struct{})}
	c.Embedder = gated
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	for range 10 {
		h.publish("picture")
	}
	require.Eventually(t, func() bool { return gated.inFlight.Load() == 2*3 }, waitLong, waitStep)
	close(gated.gate)
	require.Eventually(t, func() bool { return h.count(event.DecisionsStream) == 10 }, waitLong, waitStep)
	cancel()
	require.NoError(t, <-done)
}
