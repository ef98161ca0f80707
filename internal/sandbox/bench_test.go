package sandbox

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"moderator/internal/imaging"
)

func BenchmarkDecode12MP(b *testing.B) { benchmarkDecode(b, 4000, 3000) }
func BenchmarkDecode1MP(b *testing.B)  { benchmarkDecode(b, 1152, 864) }

// benchmarkDecode compares the moderator's request in this process and in a worker. It reports the time by the clock, and
// the CPU time of parent and worker together, which a busy machine does not change.
func benchmarkDecode(b *testing.B, width, height int) {
	data, o := photo(b, width, height), options(b)
	o.Request = imaging.Request{Targets: []imaging.Target{clip}, Limits: imaging.DefaultLimits()}
	measure := func(b *testing.B, decode func() error) {
		began := usedCPU(b)
		for b.Loop() {
			require.NoError(b, decode())
		}
		b.ReportMetric(float64((usedCPU(b)-began).Microseconds())/1000/float64(b.N), "cpu-ms/op")
	}
	b.Run("in-process", func(b *testing.B) {
		measure(b, func() error {
			_, err := imaging.Decode(data, o.Request)
			return err
		})
	})
	b.Run("sandbox", func(b *testing.B) {
		pool := open(b, o)
		measure(b, func() error {
			_, err := pool.Decode(b.Context(), data)
			return err
		})
	})
}

// usedCPU returns the CPU time of this process and its workers.
func usedCPU(b *testing.B) time.Duration {
	var ticks int64
	for _, pid := range append(children(b), os.Getpid()) {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		require.NoError(b, err)
		_, after, _ := strings.Cut(string(stat), ") ") // the name may hold spaces
		fields := strings.Fields(after)
		for _, field := range fields[11:13] { // utime and stime of proc(5)
			n, err := strconv.ParseInt(field, 10, 64)
			require.NoError(b, err)
			ticks += n
		}
	}
	const ticksPerSecond = 100 // USER_HZ, on every platform of Go
	return time.Duration(ticks) * time.Second / ticksPerSecond
}

// BenchmarkStart measures the replacement of a worker.
func BenchmarkStart(b *testing.B) {
	o := options(b)
	for b.Loop() {
		p, err := startProcess(o)
		require.NoError(b, err)
		p.stop()
	}
}
