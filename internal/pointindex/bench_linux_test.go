package pointindex_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"moderator/internal/keypoint"
	"moderator/internal/pointindex"
	"moderator/internal/synth"
	"moderator/internal/transforms"
)

// Uploads are crops of drawn pictures, among flags whose points are those of drawn pictures, with some bits changed and in
// other places: their descriptions are as alike as those of real pictures, and more alike than random ones.
func BenchmarkSearch(b *testing.B) {
	var pool []keypoint.Point
	var flags []keypoint.Features
	var uploads []keypoint.Upload
	for i := range 150 {
		p := synth.Draw(13, i, 480, 360)
		file, err := transforms.Encode(p, transforms.JPEG, 92)
		require.NoError(b, err)
		f := points(b, file, true)
		flags, pool = append(flags, f), append(pool, f.Points...)
		for _, e := range transforms.Quality() {
			if e.Name == "crop-50" || e.Name == "phone-screenshot" {
				file, err := e.Apply(p, p, uint64(i))
				require.NoError(b, err)
				uploads = append(uploads, keypoint.Prepare(points(b, file, false)))
			}
		}
	}
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			if n > 100_000 && testing.Short() {
				b.Skip("takes more than a gigabyte")
			}
			r := rand.New(rand.NewPCG(1, 1))
			x := pointindex.New()
			x.Add(flags...)
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			var adding time.Duration
			for x.Len() < n {
				batch := make([]keypoint.Features, min(50_000, n-x.Len()))
				for i := range batch {
					batch[i].Points = make([]keypoint.Point, pointindex.FlagPoints)
					for k := range batch[i].Points {
						p := pool[r.IntN(len(pool))]
						for range r.IntN(24) {
							bit := r.IntN(128)
							p.Bits[bit/64] ^= 1 << (bit % 64)
						}
						p.X, p.Y = r.Float32()*319, r.Float32()*239
						batch[i].Points[k] = p
					}
				}
				began := threadTime(b)
				x.Add(batch...)
				adding += threadTime(b) - began
			}
			var took []time.Duration
			for i := 0; b.Loop(); i++ {
				began := threadTime(b)
				x.Search(uploads[i%len(uploads)], 32)
				took = append(took, threadTime(b)-began)
			}
			slices.Sort(took)
			ms := func(share float64) float64 { return took[int(share*float64(len(took)-1))].Seconds() * 1e3 }
			b.ReportMetric(adding.Seconds()*1e6/float64(n), "cpu-us/flag")
			b.ReportMetric(float64(x.Bytes())/float64(n), "B/flag")
			b.ReportMetric(ms(0.5), "p50-cpu-ms")
			b.ReportMetric(ms(0.99), "p99-cpu-ms")
		})
	}
}

// threadTime is what the thread has used of its core: other programs do not count.
func threadTime(b *testing.B) time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		b.Fatal(err)
	}
	return time.Duration(t.Nano())
}
