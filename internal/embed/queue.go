package embed

import (
	"cmp"
	"slices"
	"sync"
)

// queue holds the free slots. A caller receives a token, of which there is one for each free slot, and then calls take.
type queue struct {
	tokens chan struct{}

	mu      sync.Mutex
	free    []*slot
	devices []deviceLoad
	turns   int
}

// deviceLoad is the load of a device.
type deviceLoad struct {
	inFlight int // inferences
	turn     int // of its last inference
}

func (a deviceLoad) compare(b deviceLoad) int {
	return cmp.Or(cmp.Compare(a.inFlight, b.inFlight), cmp.Compare(a.turn, b.turn))
}

func newQueue(slots []*slot, devices int) *queue {
	q := &queue{tokens: make(chan struct{}, len(slots)), free: slices.Clone(slots), devices: make([]deviceLoad, devices)}
	for range slots {
		q.tokens <- struct{}{}
	}
	return q
}

// take returns a slot of the device with the fewest inferences in flight. If there are several, it takes the one that was
// unused for longest. The caller must have received a token.
func (q *queue) take() *slot {
	q.mu.Lock()
	defer q.mu.Unlock()
	best := 0
	for i, s := range q.free {
		if q.devices[s.device].compare(q.devices[q.free[best].device]) < 0 {
			best = i
		}
	}
	s := q.free[best]
	q.free = slices.Delete(q.free, best, best+1)
	q.turns++
	q.devices[s.device].inFlight++
	q.devices[s.device].turn = q.turns
	return s
}

// release returns s and its token.
func (q *queue) release(s *slot) {
	q.mu.Lock()
	q.free = append(q.free, s)
	q.devices[s.device].inFlight--
	q.mu.Unlock()
	q.tokens <- struct{}{}
}
