package sandbox

import (
	"strings"
	"sync"
)

// head keeps the beginning of what a worker says on stderr: a crash names its cause first.
type head struct {
	mu   sync.Mutex
	text []byte
}

const maxHead = 4 << 10

// Write takes everything and keeps what there is room for.
func (h *head) Write(data []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.text = append(h.text, data[:min(len(data), maxHead-len(h.text))]...)
	return len(data), nil
}

// firstLine is the first line that is not empty; at most 200 bytes of it, which may come from a hostile file.
func (h *head) firstLine() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	line, _, _ := strings.Cut(strings.TrimSpace(string(h.text)), "\n")
	return strings.ToValidUTF8(line[:min(len(line), maxWords)], "")
}
