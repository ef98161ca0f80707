package consumer

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/event"
)

func TestSummaryCountsEachDecisionOnce(t *testing.T) {
	var out bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&out, nil))
	var s summary
	s.log(logger)
	require.Empty(t, out.String(), "nothing was decided")
	for _, v := range []event.Verdict{event.Block, event.Allow, event.Allow, event.Review, event.Allow} {
		s.count(v)
	}
	s.log(logger)
	s.log(logger)
	require.Equal(t, 1, strings.Count(out.String(), "\n"), out.String())
	require.Contains(t, out.String(), "uploads=5 allow=3 review=1 block=1")
}
