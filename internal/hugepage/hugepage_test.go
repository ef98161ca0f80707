package hugepage

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The system has the memory back when nothing refers to it.
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
	const arrays, size = 200, 1_000_000
	before := mapped()
	all := make([]*Array[uint32], arrays)
	for i := range all {
		all[i] = Make[uint32](size)
		require.Zero(t, all[i].Values[size-1])
		all[i].Values[size-1] = 7
	}
	taken := arrays * size * 4 / os.Getpagesize()
	require.GreaterOrEqual(t, mapped()-before, taken)
	runtime.KeepAlive(all)
	require.Eventually(t, func() bool {
		runtime.GC()
		return mapped()-before < taken/2
	}, 10*time.Second, 10*time.Millisecond)
}

func TestSizes(t *testing.T) {
	for _, n := range []int{0, 1, least - 1, least, least + 1, 5*least + 3} {
		a := Make[byte](n)
		require.Len(t, a.Values, n)
		for i := range a.Values {
			require.Zero(t, a.Values[i])
			a.Values[i] = 1
		}
		runtime.KeepAlive(a)
	}
}
