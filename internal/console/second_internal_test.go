package console

import (
	"encoding/json"
	"strconv"
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

	add(102.9, event.Allow, 1) // too late for its second, which was sent already
	clock = clock.Add(2 * time.Second)
	require.Equal(t, []second{{Time: 103, Allow: 1, P50: 1, P95: 1}}, line.since(102, clock))

	for i := range keptSeconds + 10 {
		add(float64(200+i), event.Allow, 1)
	}
	require.Len(t, line.since(0, clock), keptSeconds)
}

// Reviews take hours, which does not concern the machine.
func TestTimelineCountsReviewsWithoutTheirTime(t *testing.T) {
	var line timeline
	line.add(&row{Time: 1000, Verdict: event.Block, Reason: event.Reviewed, Took: 1e6}, time.Unix(0, 0))
	require.Equal(t, []second{{Time: 1, Block: 1}}, line.since(0, time.Unix(9, 0)))
}

// Every decision between two polls is listed or counted.
func TestFeedCountsWhatItDoesNotList(t *testing.T) {
	f := newFeed()
	sequence := 0
	put := func(v event.Verdict) {
		sequence++
		f.put(row{Time: int64(sequence), Verdict: v, shown: json.RawMessage(strconv.Itoa(sequence))})
	}
	for i := range keptRows + 500 {
		if i%100 == 0 {
			put(event.Block)
		} else {
			put(event.Allow)
		}
	}
	all := f.since(place{}, filter{}, 20)
	require.Len(t, all.rows, 20)
	require.EqualValues(t, "1500", all.rows[19], "the newest last")
	require.EqualValues(t, "1481", all.rows[0])
	require.EqualValues(t, keptRows+500-20, all.missed)
	blocks := filter{verdict: event.Block}
	blocked := f.since(place{}, blocks, 20)
	require.Len(t, blocked.rows, 10, "of those that are kept")
	require.EqualValues(t, 5, blocked.missed)
	require.Empty(t, f.since(all.next, filter{}, 20).rows)
	require.Zero(t, f.since(all.next, filter{}, 20).missed)
	put(event.Allow)
	require.Len(t, f.since(all.next, filter{}, 20).rows, 1)
	require.Empty(t, f.since(blocked.next, blocks, 20).rows)
	require.Zero(t, f.since(blocked.next, blocks, 20).missed)
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
