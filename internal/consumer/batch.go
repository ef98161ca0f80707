package consumer

import "time"

// policy decides when a batch is full, by count or by age. It has no clock and no goroutine of its own.
type policy struct {
	size    int
	age     time.Duration
	items   []*item
	until   time.Time // when the batch is due
	backlog bool      // all its uploads have waited in the stream for longer than age
}

// backlogWait bounds how long an upload of a backlog waits for its batch to fill. A fuller batch costs less CPU time an upload, which
// shortens the backlog. Longer waits make batches hardly fuller, and hold memory that uploads wait for.
const backlogWait = 40 * time.Millisecond

// wait is how long an upload may wait for others: age, or in a backlog as long again as it has waited in the stream.
func (p *policy) wait(it *item) time.Duration {
	waited := time.Duration(it.decision.Timing.Queue * float64(time.Millisecond))
	return max(p.age, min(waited, backlogWait))
}

// add returns the batch that the item completes, or nil.
func (p *policy) add(it *item, now time.Time) []*item {
	wait, first := p.wait(it), len(p.items) == 0
	if until := now.Add(wait); first || until.Before(p.until) {
		p.until = until
	}
	p.backlog = (first || p.backlog) && wait > p.age
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
	return max(0, p.until.Sub(now)), true
}

// flush empties the batch and returns its items, or nil.
func (p *policy) flush() []*item {
	items := p.items
	p.items = nil
	return items
}

// collect forms batches of the items from in until in is closed, and then flushes the last one. A batch is due at once
// when no more uploads are being prepared, but for a backlog's, whose next upload is on its way to a worker. While the next stage is
// busy, a due batch keeps growing up to size.
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
			now := time.Now()
			if batch := p.add(it, now); batch != nil {
				out <- batch
				ready = nil
				break
			}
			if !preparing() && !p.backlog {
				ready = out
			} else if wait, _ := p.due(now); ready == nil {
				timer.Reset(wait)
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
