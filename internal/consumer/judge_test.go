package consumer

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"moderator/internal/event"
)

// upload returns an upload that is not in the stream.
func upload(body string) event.Upload {
	return event.Upload{ID: body, Stream: "ask", Sequence: 1, Published: time.Now(), Body: []byte(body)}
}

// Requests and the stream's uploads share the pipeline. Each gets one decision.
func TestJudge(t *testing.T) {
	t.Parallel()
	h := newHarness(t, nil)
	const uploads = 30
	for i := range uploads {
		h.publish(fmt.Sprint("plain ", i))
	}
	c, stop := h.startConsumer()
	var callers sync.WaitGroup
	for i := range 10 {
		callers.Go(func() {
			for j := range 3 {
				verdict := map[bool]event.Verdict{true: event.Block, false: event.Allow}[j == 0]
				d, err := c.Judge(t.Context(), upload(fmt.Sprint(map[bool]string{true: "flagged ", false: "plain "}[j == 0], i)), j == 2)
				if err != nil || d.Verdict != verdict {
					t.Errorf("request %d %d: %v, %v", i, j, d.Verdict, err)
				}
			}
		})
	}
	callers.Wait()
	h.settled()
	h.decisions(uploads + 10) // a third of the requests are published
	require.NoError(t, stop())
	require.Zero(t, c.inFlight.count())
	require.Zero(t, testutil.ToFloat64(c.metrics.heldBytes))
	_, err := c.Judge(t.Context(), upload("plain"), false)
	require.ErrorIs(t, err, ErrUnavailable, "it has stopped")
}

// Ten callers ask without a pause while the stream always has uploads: neither side waits for the end of the other.
func TestJudgeStarvesNobody(t *testing.T) {
	t.Parallel()
	const asked, decided, backlog = 10, 100, 30
	h := newHarness(t, nil)
	c, _ := h.startConsumer()
	uploadsDecided := make(chan struct{})
	var callers sync.WaitGroup
	for i := range 10 {
		callers.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-uploadsDecided:
					if n >= asked {
						return
					}
				default:
				}
				if d, err := c.Judge(t.Context(), upload(fmt.Sprint("flagged ", i)), false); err != nil || d.Verdict != event.Block {
					t.Errorf("caller %d: %v, %v", i, d.Verdict, err)
					return
				}
			}
		})
	}
	callersDone := make(chan struct{})
	go func() {
		callers.Wait()
		close(callersDone)
	}()
	published, open := 0, true
	require.Eventually(t, func() bool {
		for range backlog - h.count(event.UploadsStream) {
			h.publish(fmt.Sprint("plain ", published))
			published++
		}
		if open && h.count(event.DecisionsStream) >= decided {
			close(uploadsDecided)
			open = false
		}
		select {
		case <-callersDone:
			return true
		default:
			return false
		}
	}, waitLong, waitStep)
	h.settled()
	h.decisions(published)
}

// A request fails at once if the fault is its own or a dependency is away.
func TestJudgeFails(t *testing.T) {
	t.Parallel()
	h := newHarness(t, nil)
	c, _ := h.startConsumer()
	_, err := c.Judge(t.Context(), upload("poison"), true)
	require.ErrorContains(t, err, "a query that fails")
	d, err := c.Judge(t.Context(), upload("bad"), false)
	require.NoError(t, err)
	require.Equal(t, event.Undecodable, d.Reason)

	h.fakes.away.Store("postgres")
	_, err = c.Judge(t.Context(), upload("plain"), false)
	require.ErrorIs(t, err, ErrUnavailable)
	require.ErrorContains(t, err, "no route to postgres")
	_, err = c.Judge(t.Context(), upload("plain"), false)
	require.ErrorIs(t, err, ErrUnavailable, "the outage is known")
	h.fakes.away.Store("")
	require.Eventually(t, func() bool {
		_, err := c.Judge(t.Context(), upload("plain"), false)
		return err == nil
	}, waitLong, waitStep)

	h.fakes.gate = make(chan struct{})
	defer close(h.fakes.gate)
	ctx, cancel := context.WithCancel(t.Context())
	decodes := h.fakes.decodes.Load()
	judged := make(chan error, 1)
	go func() {
		_, err := c.Judge(ctx, upload("slow"), false)
		judged <- err
	}()
	require.Eventually(t, func() bool { return h.fakes.decodes.Load() > decodes }, waitLong, waitStep)
	cancel()
	require.ErrorIs(t, <-judged, context.Canceled)
	h.decisions(0)
}
