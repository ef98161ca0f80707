package sketch

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A set's memory is the system's, which has it back when the set is gone.
func TestMemoryIsGivenBack(t *testing.T) {
	mapped := func() (pages int) {
		statm, err := os.ReadFile("/proc/self/statm")
		if err != nil {
			t.Skip("what is mapped is read from /proc/self/statm: ", err)
		}
		_, err = fmt.Sscan(strings.Fields(string(statm))[0], &pages)
		require.NoError(t, err)
		return pages
	}
	const segments = 200
	layout := layoutOf(256)
	before := mapped()
	all := make([]*segment, segments)
	for i := range all {
		all[i] = layout.newSegment()
		require.Zero(t, all[i].steps[layout.perSegment-1])
	}
	taken := segments * layout.bytes / os.Getpagesize()
	require.GreaterOrEqual(t, mapped()-before, taken)
	runtime.KeepAlive(all)
	require.Eventually(t, func() bool {
		runtime.GC()
		return mapped()-before < taken/2
	}, 10*time.Second, 10*time.Millisecond)
}
