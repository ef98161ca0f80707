package consumer

import "time"

// policy decides when a batch is full, by count or by age. It has no clock and no goroutine of its own.
type policy struct {
	size  int
	age   time.Duration
	items []*item
	first time.Time // when the first item was added
}

// add returns the batch that the item completes, or nil.
func (p *policy) add(it *item, now time.Time) []*item {
	if len(p.items) == 0 {
		p.first = now
	}
	p.items = append(p.items, it)
	if len(p.items) < p.size {
		return nil
	}
	return p.flush()
}

// due returns how long the batch may still wait. ok is false if the batch is empty.
func (p *policy) due(now time.Time) (wait time.Duration, ok bool) {
	if len(p.items) == 0 {
		return 0, false
	}
	return max(0, p.age-now.Sub(p.first)), true
}

// flush empties the batch and returns its items, or nil.
func (p *policy) flush() []*item {
	items := p.items
	p.items = nil
	return items
}

// collect forms batches of the items from in until in is closed, and then flushes the last one. A batch is due at once
// when no more uploads are being prepared. While the next stage is busy, a due batch keeps growing up to size.
func collect(in <-chan *item, out chan<- []*item, size int, age time.Duration, preparing func() bool) {
	defer close(out)
	p := policy{size: size, age: age}
	timer := time.NewTimer(age)
	defer timer.Stop()
	var ready chan<- []*item // out, once the batch is due
	for in != nil {
		select {
		case it, open := <-in:
			if !open {
				in = nil
				break
			}
			if batch := p.add(it, time.Now()); batch != nil {
				out <- batch
				ready = nil
				break
			}
			if !preparing() {
				ready = out
			} else if len(p.items) == 1 {
				timer.Reset(age)
			}
		case <-timer.C:
			if wait, ok := p.due(time.Now()); ok && wait == 0 {
				ready = out
			} else if ok {
				timer.Reset(wait)
			}
		case ready <- p.items:
			p.flush()
			ready = nil
		}
	}
	if batch := p.flush(); batch != nil {
		out <- batch
	}
}
