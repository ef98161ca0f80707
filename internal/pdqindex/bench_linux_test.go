package pdqindex

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"moderator/internal/pdq"
)

// The eight turns of an upload, of which one is a copy of a hash.
func BenchmarkWithin(b *testing.B) {
	for _, n := range []int{10_000, 100_000, 1_000_000, 10_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			if n > 1_000_000 && testing.Short() {
				b.Skip("takes a gigabyte")
			}
			r := rand.New(rand.NewPCG(1, 1))
			var x Index
			begin := time.Now()
			batch := make([]pdq.Hash, 1000)
			for range n / len(batch) {
				for i := range batch {
					batch[i] = randomHash(r)
				}
				x.Add(batch...)
			}
			x.Wait()
			adds := float64(n) / time.Since(begin).Seconds()
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			var took []time.Duration
			b.ResetTimer()
			for b.Loop() {
				query := x.chunks[0].hashes[r.IntN(1000)]
				turns := [8]pdq.Hash{flipped(r, query, 20)}
				for i := range turns[1:] {
					turns[i+1] = randomHash(r)
				}
				begin := threadTime(b)
				for _, h := range turns {
					if found := x.Within(h, pdq.MaxDistance); h == turns[0] && len(found) == 0 {
						b.Fatal("missed")
					}
				}
				took = append(took, threadTime(b)-begin)
			}
			slices.Sort(took)
			ms := func(share float64) float64 { return took[int(share*float64(len(took)-1))].Seconds() * 1e3 }
			b.ReportMetric(adds, "adds/s")
			b.ReportMetric(float64(x.Bytes())/float64(n), "B/hash")
			b.ReportMetric(ms(0.5), "p50-cpu-ms/8-turns")
			b.ReportMetric(ms(0.99), "p99-cpu-ms/8-turns")
		})
	}
}

func BenchmarkAdd(b *testing.B) {
	r := rand.New(rand.NewPCG(2, 2))
	var x Index
	for b.Loop() {
		x.Add(randomHash(r))
	}
	x.Wait()
}

// threadTime is what the thread has used of its core: other programs do not count.
func threadTime(b *testing.B) time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		b.Fatal(err)
	}
	return time.Duration(t.Nano())
}
