package console

import (
	"context"
	"log/slog"
	"sync"

	"github.com/nats-io/nats.go/jetstream"
)

// hub runs a feed while there are watchers.
type hub struct {
	js     jetstream.JetStream
	log    *slog.Logger
	closed chan struct{} // closed when the console ends

	mu       sync.Mutex
	once     sync.Once
	watchers int
	feed     *feed
	stop     context.CancelFunc
	running  sync.WaitGroup
}

// watch adds a watcher. It returns the feed, and the function that removes the watcher.
func (h *hub) watch() (*feed, func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.watchers++; h.watchers == 1 {
		ctx, stop := context.WithCancel(context.Background()) // the feed outlives the first watcher's request
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

// close ends all watchers' requests and waits for the end of the feed.
func (h *hub) close() {
	h.once.Do(func() { close(h.closed) })
	h.mu.Lock()
	if h.stop != nil {
		h.stop()
	}
	h.mu.Unlock()
	h.running.Wait()
}
