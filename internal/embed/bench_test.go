package embed

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/testenv"
)

// BenchmarkEmbed embeds batches of 32 with the shipped model in one single-threaded session. Images per second of CPU time
// is the speed of one core. Images per second is lower if other programs run.
func BenchmarkEmbed(b *testing.B) {
	f, err := LoadDir(filepath.Join(testenv.Root(), "models", "copydetect"))
	require.NoError(b, err)
	m := openModel(b, f, Options{Provider: "cpu", Sessions: 1})
	pictures := noise(f, 32)
	images := 0
	start := cpuSeconds(b)
	for b.Loop() {
		if _, err := m.Embed(b.Context(), pictures); err != nil {
			b.Fatal(err)
		}
		images += len(pictures)
	}
	b.ReportMetric(float64(images)/b.Elapsed().Seconds(), "images/s")
	b.ReportMetric(float64(images)/(cpuSeconds(b)-start), "images/cpu-s")
}

func cpuSeconds(b *testing.B) float64 {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
