package sandbox

import (
	"strings"
	"sync"
)

// head keeps the beginning of a worker's stderr, where a crash reports its cause.
type head struct {
	mu   sync.Mutex
	text []byte
}

const maxHead = 4 << 10

// Write keeps the first maxHead bytes and discards the rest.
func (h *head) Write(data []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.text = append(h.text, data[:min(len(data), maxHead-len(h.text))]...)
	return len(data), nil
}

// firstLine returns the first line that is not empty. It is bounded, because a hostile file may have produced it.
func (h *head) firstLine() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	line, _, _ := strings.Cut(strings.TrimSpace(string(h.text)), "\n")
	return strings.ToValidUTF8(line[:min(len(line), maxWords)], "")
}
