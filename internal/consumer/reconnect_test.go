package consumer

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Uploads that wait while the connection is lost, and those that are pulled after it, are delivered once: none is
// dropped on the way, to come again after the ack wait.
func TestLostConnectionDropsNoUpload(t *testing.T) {
	const uploads = 200
	b := newBench(t, func(c *Config) { c.AckWait = time.Minute })
	b.judges.gate = make(chan struct{})
	for i := range uploads {
		b.publish(fmt.Sprint("slow", i))
	}
	b.start()
	for range 3 {
		time.Sleep(200 * time.Millisecond) // the pull fills up behind the stages that wait
		require.NoError(t, b.nc.ForceReconnect())
	}
	time.Sleep(200 * time.Millisecond)
	close(b.judges.gate)
	b.decisions(uploads)
	b.settled()
}
