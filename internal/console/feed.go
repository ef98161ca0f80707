package console

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"moderator/internal/event"

	"github.com/nats-io/nats.go/jetstream"
)

// keptRows is how many decisions a feed keeps. If more come between two polls, a watcher misses rows.
const keptRows = 1000

// feed holds the last decisions for all watchers. It reads DECISIONS only while there are any.
type feed struct {
	mu       sync.Mutex
	rows     [keptRows]row
	count    uint64 // of all rows so far; the newest is rows[(count-1)%keptRows]
	kinds    map[filter]uint64
	timeline timeline
	waiting  uint64 // uploads that are not decided yet
	trouble  string // why decisions cannot be read, for people

	filled chan struct{} // closed when all decisions were read that the stream had at the start
}

// watched is what a watcher gets in one poll.
type watched struct {
	rows    []json.RawMessage // oldest first
	missed  uint64            // further decisions that pass the filter and are not in rows
	seconds []second
	waiting uint64
	trouble string
	next    place // for the next poll
}

// place is a watcher's position in the feed.
type place struct {
	seen   uint64 // decisions of any kind
	passed uint64 // of them, those that pass the filter
	second int64  // the last one that was sent
}

// since returns the newest rows after a place, at most most, the number of other rows, and the seconds after the place.
func (f *feed) since(from place, keep filter, most int) watched {
	f.mu.Lock()
	defer f.mu.Unlock()
	w := watched{waiting: f.waiting, trouble: f.trouble, seconds: f.timeline.since(from.second, time.Now())}
	w.next = place{seen: f.count, second: from.second}
	if n := len(w.seconds); n > 0 {
		w.next.second = w.seconds[n-1].Time
	}
	for kind, n := range f.kinds {
		if keep.passes(kind) {
			w.next.passed += n
		}
	}
	first := from.seen
	if f.count > keptRows {
		first = max(first, f.count-keptRows)
	}
	for i := f.count; i > first && len(w.rows) < most; i-- {
		if r := &f.rows[(i-1)%keptRows]; keep.passes(r.kind()) {
			w.rows = append(w.rows, r.shown)
		}
	}
	slices.Reverse(w.rows)
	w.missed = w.next.passed - from.passed - uint64(len(w.rows))
	return w
}

func (f *feed) put(r row) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rows[f.count%keptRows] = r
	f.count++
	f.kinds[r.kind()]++
	f.timeline.add(&r, time.Now())
}

func newFeed() *feed { return &feed{kinds: map[filter]uint64{}, filled: make(chan struct{})} }

// run reads until ctx is done. It shows errors to the watchers and tries again.
func (f *feed) run(ctx context.Context, js jetstream.JetStream, log *slog.Logger) {
	for ctx.Err() == nil {
		err := f.read(ctx, js)
		if ctx.Err() != nil {
			return
		}
		log.Warn("the console cannot read decisions, will try again", "error", err)
		f.setTrouble(fmt.Sprintf("Decisions cannot be read: %v", err))
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
		}
	}
}

// read reads DECISIONS from the last keptRows messages on.
func (f *feed) read(ctx context.Context, js jetstream.JetStream) error {
	stream, err := js.Stream(ctx, event.DecisionsStream)
	if err != nil {
		return err
	}
	state, made := stream.CachedInfo().State, stream.CachedInfo().Created
	start := max(state.FirstSeq, 1)
	if state.LastSeq > keptRows {
		start = max(start, state.LastSeq-keptRows+1)
	}
	if state.Msgs == 0 {
		f.fill()
	}
	ordered, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: start, InactiveThreshold: time.Minute,
	})
	if err != nil {
		return err
	}
	broken := make(chan error, 1)
	var seen atomic.Uint64 // the last sequence number
	reading, err := ordered.Consume(func(msg jetstream.Msg) {
		if r, ok := newRow(msg); ok {
			f.put(r)
		}
		if meta, err := msg.Metadata(); err == nil {
			seen.Store(meta.Sequence.Stream)
			if meta.Sequence.Stream >= state.LastSeq {
				f.fill()
			}
		}
	}, jetstream.ConsumeErrHandler(func(_ jetstream.ConsumeContext, err error) {
		select {
		case broken <- err:
		default:
		}
	}))
	if err != nil {
		return err
	}
	defer func() { reading.Stop(); <-reading.Closed() }()
	f.setTrouble("")
	check := time.NewTicker(2 * time.Second)
	defer check.Stop()
	for {
		f.countWaiting(ctx, js)
		select {
		case <-check.C:
			// The consumer would wait until the new stream's numbers reach the last one that it saw.
			if now, err := stream.Info(ctx); err == nil && (!now.Created.Equal(made) || now.State.LastSeq < seen.Load()) {
				return fmt.Errorf("%s was created again, or restored from an earlier copy", event.DecisionsStream)
			}
		case err := <-broken: // the consumer recovers
			f.setTrouble(fmt.Sprintf("The stream of decisions was interrupted: %v", err))
		case <-reading.Closed():
			return fmt.Errorf("the consumer of %s ended", event.DecisionsStream)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (f *feed) fill() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.full() {
		close(f.filled)
	}
}

// full reports whether filled is closed.
func (f *feed) full() bool {
	select {
	case <-f.filled:
		return true
	default:
		return false
	}
}

func (f *feed) setTrouble(trouble string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.trouble = trouble
}

// countWaiting counts the uploads that are not decided yet. It keeps the last count if that fails.
func (f *feed) countWaiting(ctx context.Context, js jetstream.JetStream) {
	durable, err := js.Consumer(ctx, event.UploadsStream, event.DurableName)
	if err != nil {
		return
	}
	info := durable.CachedInfo()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting = info.NumPending + uint64(info.NumAckPending)
}
