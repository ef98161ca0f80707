package embed

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	ort "github.com/yalue/onnxruntime_go"

	"moderator/internal/testenv"
)

// recorder records the device and the batch size of each inference.
type recorder struct {
	runner
	device int
	log    *batchLog
}

type batchLog struct {
	mu      sync.Mutex
	batches [][2]int // device, pictures
}

func (r recorder) Run(in, out []ort.Value) error {
	r.log.mu.Lock()
	r.log.batches = append(r.log.batches, [2]int{r.device, int(in[0].GetShape()[0])})
	r.log.mu.Unlock()
	return r.runner.Run(in, out)
}

// openDevices opens the model of colours on n devices, which are sessions of the CPU.
func openDevices(t *testing.T, n, maxBatch int) (*Model, *batchLog) {
	t.Helper()
	f, err := LoadFS(folderOf(colours{}.graph()))
	require.NoError(t, err)
	_, _, err = loadLibrary(testenv.ONNXRuntime(t))
	require.NoError(t, err)
	o := Options{MaxBatch: maxBatch}
	for i := range n {
		o.DeviceIDs = append(o.DeviceIDs, i)
	}
	simulated := provider{name: "simulated", attach: func(*ort.SessionOptions, place) error { return nil }, compiles: true}
	m, err := open(t.Context(), f, simulated, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	log := &batchLog{}
	for _, s := range m.slots {
		s.session = recorder{s.session, s.device, log}
	}
	return m, log
}

func reds(n int) [][]byte {
	pictures := make([][]byte, n)
	for i := range pictures {
		pictures[i] = paint(1, 0, 0)
	}
	return pictures
}

func TestDevicesGetFullBatchesInTurn(t *testing.T) {
	m, log := openDevices(t, 2, 32)
	for range 4 {
		vectors, err := m.Embed(t.Context(), reds(32))
		require.NoError(t, err)
		require.Equal(t, []float32{1, 0, 0}, vectors[31])
	}
	require.Equal(t, [][2]int{{0, 32}, {1, 32}, {0, 32}, {1, 32}}, log.batches)

	m, log = openDevices(t, 8, 32)
	_, err := m.Embed(t.Context(), reds(32))
	require.NoError(t, err)
	require.Equal(t, [][2]int{{0, 32}}, log.batches, "eight devices must not split a batch")
	for range 7 {
		_, err = m.Embed(t.Context(), reds(32))
		require.NoError(t, err)
	}
	require.Equal(t, [][2]int{{0, 32}, {1, 32}, {2, 32}, {3, 32}, {4, 32}, {5, 32}, {6, 32}, {7, 32}}, log.batches)
}

func TestSlotsComeFromTheDeviceWithFewestInFlight(t *testing.T) {
	m, _ := openDevices(t, 2, 4)
	acquire := func() *slot {
		s, err := m.acquire(context.Background())
		require.NoError(t, err)
		return s
	}
	first, second, third := acquire(), acquire(), acquire()
	require.Equal(t, []int{0, 1, 0}, []int{first.device, second.device, third.device})
	m.free.release(first)
	m.free.release(third)
	again := acquire()
	require.Equal(t, 0, again.device, "device 1 has one in flight")
	m.free.release(again)
	m.free.release(second)
}

// Sessions of WebGPU must not work concurrently. That they crash otherwise is seen by internal/deviceset's tests on that provider.
func TestSessionsTakeTurns(t *testing.T) {
	var turn sync.Mutex
	calls := 0
	counted := provider{name: "counted", turn: &turn}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				_ = counted.inTurn(func() error { calls++; return nil }) // the race detector sees calls out of turn
			}
		})
	}
	all.Wait()
	require.Equal(t, 800, calls)
	list, err := candidates("webgpu")
	require.NoError(t, err)
	require.NotNil(t, list[0].turn)
}

// gated holds every inference until open is closed.
type gated struct {
	recorder
	entered chan<- struct{}
	open    <-chan struct{}
}

func (g gated) Run(in, out []ort.Value) error {
	g.entered <- struct{}{}
	<-g.open
	return g.recorder.Run(in, out)
}

// Two devices have two full batches each, the next of which is filled while one is computed.
func TestDevicesGetFullBatchesAtOnce(t *testing.T) {
	m, log := openDevices(t, 2, 32)
	entered, open := make(chan struct{}, 4), make(chan struct{})
	for _, s := range m.slots {
		s.session = gated{s.session.(recorder), entered, open}
	}
	done := make(chan error)
	for range 2 { // as two stages of the consumer do
		go func() {
			_, err := m.Embed(t.Context(), reds(64))
			done <- err
		}()
	}
	for range 4 {
		<-entered
	}
	close(open)
	require.NoError(t, <-done)
	require.NoError(t, <-done)
	require.ElementsMatch(t, [][2]int{{0, 32}, {0, 32}, {1, 32}, {1, 32}}, log.batches)
}
