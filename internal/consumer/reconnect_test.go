package consumer

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A lost connection drops no upload: those that the client library has buffered and those that it pulls afterwards are
// delivered once. A dropped one would be redelivered after the ack wait.
func TestLostConnectionDropsNoUpload(t *testing.T) {
	t.Parallel()
	const uploads, reconnects = 200, 3
	h := newHarness(t, func(c *Config) { c.AckWait = time.Minute })
	h.fakes.gate = make(chan struct{})
	for i := range uploads {
		h.publish(fmt.Sprint("slow", i))
	}
	h.start()
	for i := range reconnects + 1 {
		pull := 2 * h.cfg.BatchSize // messages that the client library asks for on each connection
		require.Eventually(t, func() bool {
			info, err := h.durable.Info(t.Context())
			return err == nil && info.NumAckPending >= pull*(i+1)
		}, waitLong, waitStep, "the pull fills up behind the blocked stages")
		if i < reconnects {
			require.NoError(t, h.nc.ForceReconnect())
		}
	}
	close(h.fakes.gate)
	h.decisions(uploads)
	h.settled()
}
