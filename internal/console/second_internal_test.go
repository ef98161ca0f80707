package console

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"moderator/internal/event"
)

func TestTimeline(t *testing.T) {
	var line timeline
	clock := time.Unix(5000, 0)
	add := func(at float64, v event.Verdict, took float64) {
		line.add(&row{Time: int64(at * 1000), Verdict: v, Took: took}, clock)
	}
	add(100.1, event.Allow, 10)
	add(100.9, event.Block, 30)
	require.Empty(t, line.since(0, clock), "the second is not over")
	add(102.5, event.Review, 7)
	first := second{Time: 100, Allow: 1, Block: 1, P50: 30, P95: 30}
	require.Equal(t, []second{first}, line.since(0, clock))
	clock = clock.Add(2 * time.Second)
	last := second{Time: 102, Review: 1, P50: 7, P95: 7}
	require.Equal(t, []second{first, last}, line.since(0, clock))
	require.Equal(t, []second{last}, line.since(100, clock))
	require.Empty(t, line.since(102, clock))

	add(102.9, event.Allow, 1) // too late for its second, which was told already
	clock = clock.Add(2 * time.Second)
	require.Equal(t, []second{{Time: 103, Allow: 1, P50: 1, P95: 1}}, line.since(102, clock))

	for i := range keptSeconds + 10 {
		add(float64(200+i), event.Allow, 1)
	}
	require.Len(t, line.since(0, clock), keptSeconds)
}

// People take hours, which says nothing of the machine.
func TestTimelineCountsReviewsWithoutTheirTime(t *testing.T) {
	var line timeline
	line.add(&row{Time: 1000, Verdict: event.Block, Reason: event.Reviewed, Took: 1e6}, time.Unix(0, 0))
	require.Equal(t, []second{{Time: 1, Block: 1}}, line.since(0, time.Unix(9, 0)))
}

func TestFeedCountsWhatItCannotShow(t *testing.T) {
	var f feed
	for i := range keptRows + 500 {
		verdict := event.Allow
		if i%100 == 0 {
			verdict = event.Block
		}
		f.put(row{Sequence: uint64(i + 1), Time: int64(i), Verdict: verdict})
	}
	all := f.since(0, 0, filter{}, 20)
	require.Len(t, all.rows, 20)
	require.EqualValues(t, keptRows+500, all.rows[19].Sequence, "the newest last")
	require.EqualValues(t, keptRows+481, all.rows[0].Sequence)
	require.Equal(t, keptRows-20, all.missed)
	blocked := f.since(0, 0, filter{verdict: event.Block}, 20)
	require.Len(t, blocked.rows, 10)
	require.Zero(t, blocked.missed)
	require.Empty(t, f.since(all.seen, 0, filter{}, 20).rows)
	f.put(row{Sequence: 9999})
	require.Len(t, f.since(all.seen, 0, filter{}, 20).rows, 1)
}

func TestCutKeepsLettersWhole(t *testing.T) {
	for most := range 12 {
		text := cut("añb€c", most)
		require.True(t, utf8.ValidString(text), "%q", text)
		require.LessOrEqual(t, len(strings.TrimSuffix(text, "…")), most)
	}
	require.Equal(t, "añb€c", cut("añb€c", 8))
}

func TestThousands(t *testing.T) {
	require.Equal(t, "1\u202f234\u202f567", thousands(1234567))
	require.Equal(t, "123", thousands(int64(123)))
	require.Equal(t, "1.5 MiB", byteSize(3<<19))
}
