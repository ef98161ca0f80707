package console

import (
	"context"
	"log/slog"
	"sync"

	"github.com/nats-io/nats.go/jetstream"
)

// hub keeps a feed running while somebody watches.
type hub struct {
	js     jetstream.JetStream
	log    *slog.Logger
	closed chan struct{} // when the console ends

	mu       sync.Mutex
	once     sync.Once
	watchers int
	feed     *feed
	stop     context.CancelFunc
	running  sync.WaitGroup
}

// watch returns the feed, and what to call when it is not watched any more.
func (h *hub) watch() (*feed, func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.watchers++; h.watchers == 1 {
		ctx, stop := context.WithCancel(context.Background()) // of no request: others watch it too
		h.feed, h.stop = newFeed(), stop
		started := h.feed
		h.running.Go(func() { started.run(ctx, h.js, h.log) })
	}
	return h.feed, h.leave
}

func (h *hub) leave() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.watchers--; h.watchers == 0 {
		h.stop()
	}
}

// close sends everybody away, and waits for the feed's end.
func (h *hub) close() {
	h.once.Do(func() { close(h.closed) })
	h.mu.Lock()
	if h.stop != nil {
		h.stop()
	}
	h.mu.Unlock()
	h.running.Wait()
}
