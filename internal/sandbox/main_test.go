package sandbox

import (
	"bytes"
	"image"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"moderator/internal/imaging"
)

// TestMain makes the test binary a worker if it is started as one, as the moderator's main does.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == Argument {
		workAs(os.Getenv("SANDBOX_TEST"))
		return
	}
	goleak.VerifyTestMain(m)
}

var clip = imaging.Target{ShortestEdge: 224, CropWidth: 224, CropHeight: 224}

// request returns a request for everything that an answer can carry.
func request() imaging.Request {
	return imaging.Request{
		Targets: []imaging.Target{clip, {ResizeWidth: 64, ResizeHeight: 48}},
		Views:   []imaging.View{imaging.ViewOriginal, imaging.ViewTrimmed, imaging.ViewRotate90},
		Gray:    true, Limits: imaging.DefaultLimits(),
	}
}

func options(t testing.TB) Options {
	command, err := Self()
	require.NoError(t, err)
	return Options{
		Command: command, Request: request(), Workers: 1, MaxMemory: 512 << 20,
		CPUTime: 30 * time.Second, Timeout: 30 * time.Second, Recycle: 1000, Metrics: prometheus.NewRegistry(),
	}
}

// as makes workers behave as workAs does in the mode.
func (o Options) as(mode string) Options {
	o.Command = append([]string{"/usr/bin/env", "SANDBOX_TEST=" + mode}, o.Command...)
	return o
}

// open starts a pool that ends with the test.
func open(t testing.TB, o Options) *Pool {
	p, err := Start(o)
	require.NoError(t, err)
	t.Cleanup(p.Close)
	return p
}

// deathsOf returns the value of the metric.
func deathsOf(t *testing.T, o Options) int {
	families, err := o.Metrics.(*prometheus.Registry).Gather()
	require.NoError(t, err)
	require.Equal(t, "moderator_decode_worker_deaths_total", families[0].GetName())
	return int(families[0].GetMetric()[0].GetCounter().GetValue())
}

// children returns the pids of this process's children.
func children(t testing.TB) []int {
	own, err := os.ReadDir("/proc/self/task")
	require.NoError(t, err)
	var pids []int
	for _, task := range own {
		list, err := os.ReadFile("/proc/self/task/" + task.Name() + "/children")
		if err != nil {
			continue // the thread has ended
		}
		for _, field := range strings.Fields(string(list)) {
			pid, err := strconv.Atoi(field)
			require.NoError(t, err)
			pids = append(pids, pid)
		}
	}
	return pids
}

// photo returns a JPEG with about a photograph's bytes per pixel: soft shapes and some grain.
func photo(t testing.TB, width, height int) []byte {
	grain := rand.New(rand.NewPCG(1, 2))
	im := image.NewYCbCr(image.Rect(0, 0, width, height), image.YCbCrSubsampleRatio420)
	for y := range height {
		for x := range width {
			v := 128 + 60*math.Sin(float64(x)/97)*math.Cos(float64(y)/71) + 4*grain.NormFloat64()
			im.Y[y*im.YStride+x] = uint8(max(0, min(255, v)))
		}
	}
	for i := range im.Cb {
		im.Cb[i], im.Cr[i] = uint8(128+i/im.CStride%64), uint8(128-i%im.CStride%64)
	}
	var file bytes.Buffer
	require.NoError(t, jpeg.Encode(&file, im, &jpeg.Options{Quality: 85}))
	return file.Bytes()
}
