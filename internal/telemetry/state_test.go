package telemetry

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
)

func TestState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var counts int
		var queueErr error
		state := &State{
			Queue: func(context.Context) (Queue, error) {
				return Queue{Pending: 7, AckPending: 3, UploadsBytes: 1 << 20, DecisionsBytes: 99}, queueErr
			},
			Library: func(context.Context) (Library, error) {
				counts++
				return Library{Flags: 10 * counts, Embeddings: 50, LastFlag: time.UnixMilli(1_700_000_000_500)}, nil
			},
			Logger: slog.New(slog.DiscardHandler),
		}
		registry := prometheus.NewRegistry()
		state.Register(registry)
		require.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP moderator_consumer_pending_uploads Uploads in the stream that were not delivered yet: the consumer's lag.
# TYPE moderator_consumer_pending_uploads gauge
moderator_consumer_pending_uploads 7
# HELP moderator_library_flags Active flags of the library.
# TYPE moderator_library_flags gauge
moderator_library_flags 10
# HELP moderator_library_last_flag_timestamp_seconds When the newest active flag was created, in seconds since 1970. Absent in an empty library.
# TYPE moderator_library_last_flag_timestamp_seconds gauge
moderator_library_last_flag_timestamp_seconds 1.7000000005e+09
`), "moderator_consumer_pending_uploads", "moderator_library_flags", "moderator_library_last_flag_timestamp_seconds"))
		require.Equal(t, 1, counts)

		// The library is not counted again so soon. A queue that fails is omitted and counted as an error.
		queueErr = errors.New("no responders")
		names := gathered(t, registry)
		require.NotContains(t, names, "moderator_consumer_pending_uploads")
		require.Contains(t, names, "moderator_library_flags")
		require.Equal(t, 1, counts)
		require.Equal(t, 1.0, testutil.ToFloat64(state.failures.WithLabelValues("queue")))

		time.Sleep(libraryAge) // of the bubble's clock
		queueErr = nil
		require.Contains(t, gathered(t, registry), "moderator_consumer_pending_uploads")
		require.Equal(t, 2, counts)
	})
}

func gathered(t *testing.T, g prometheus.Gatherer) (names []string) {
	families, err := g.Gather()
	require.NoError(t, err)
	for _, family := range families {
		names = append(names, family.GetName())
	}
	return names
}
