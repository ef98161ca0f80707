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

// keptRows is how many decisions are kept for those who come to watch, and the most that can come between two looks.
const keptRows = 1000

// feed is the last decisions, for all who watch. It reads DECISIONS only while somebody does.
type feed struct {
	mu       sync.Mutex
	rows     [keptRows]row
	count    uint64 // rows that came so far; the newest is rows[(count-1)%keptRows]
	kinds    map[filter]uint64
	timeline timeline
	waiting  uint64 // uploads that are not decided yet
	trouble  string // why no decisions come, for people

	filled chan struct{} // closed when the decisions are there that the stream had at the start
}

// watched is what came since the last look.
type watched struct {
	rows    []json.RawMessage // those that are listed, the oldest first
	missed  uint64            // so many more were let through, and are not listed
	seconds []second
	waiting uint64
	trouble string
	next    place // for the next look
}

// place is how far somebody who watches has come.
type place struct {
	seen   uint64 // decisions of any kind
	let    uint64 // those of them that the filter lets through
	second int64  // the last one that is drawn
}

// since returns at most most rows that came after a place, the newest of them, counts the others, and returns the seconds
// after it.
func (f *feed) since(from place, keep filter, most int) watched {
	f.mu.Lock()
	defer f.mu.Unlock()
	w := watched{waiting: f.waiting, trouble: f.trouble, seconds: f.timeline.since(from.second, time.Now())}
	w.next = place{seen: f.count, second: from.second}
	if n := len(w.seconds); n > 0 {
		w.next.second = w.seconds[n-1].Time
	}
	for kind, n := range f.kinds {
		if keep.lets(kind) {
			w.next.let += n
		}
	}
	first := from.seen
	if f.count > keptRows {
		first = max(first, f.count-keptRows)
	}
	for i := f.count; i > first && len(w.rows) < most; i-- {
		if r := &f.rows[(i-1)%keptRows]; keep.lets(r.kind()) {
			w.rows = append(w.rows, r.shown)
		}
	}
	slices.Reverse(w.rows)
	w.missed = w.next.let - from.let - uint64(len(w.rows))
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

// run reads until ctx is done; what fails is told to those who watch, and tried again.
func (f *feed) run(ctx context.Context, js jetstream.JetStream, log *slog.Logger) {
	for ctx.Err() == nil {
		err := f.read(ctx, js)
		if ctx.Err() != nil {
			return
		}
		log.Warn("the console cannot read the decisions, and tries again", "error", err)
		f.tell(fmt.Sprintf("No decisions can be read: %v", err))
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
		}
	}
}

// read follows DECISIONS from the last keptRows on.
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
	var seen atomic.Uint64 // the last sequence that came
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
	f.tell("")
	look := time.NewTicker(2 * time.Second)
	defer look.Stop()
	for {
		f.countWaiting(ctx, js)
		select {
		case <-look.C:
			// Its consumer would wait for the numbers to reach the last one that it saw.
			if now, err := stream.Info(ctx); err == nil && (!now.Created.Equal(made) || now.State.LastSeq < seen.Load()) {
				return fmt.Errorf("%s was made anew, or put back to an earlier copy", event.DecisionsStream)
			}
		case err := <-broken: // it mends itself
			f.tell(fmt.Sprintf("The stream of decisions was interrupted: %v", err))
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

// full says whether all is there that the stream had at the start.
func (f *feed) full() bool {
	select {
	case <-f.filled:
		return true
	default:
		return false
	}
}

func (f *feed) tell(trouble string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.trouble = trouble
}

// countWaiting looks how many uploads are not decided yet. Where that cannot be seen the last count stays.
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
