package embed

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"moderator/internal/testenv"
)

func openColours(t *testing.T, c colours, o Options) *Model {
	t.Helper()
	f, err := LoadFS(folderOf(c.graph()))
	require.NoError(t, err)
	return openModel(t, f, o)
}

func TestEmbedReadsNamesTypesAndWidthFromTheGraph(t *testing.T) {
	for name, c := range map[string]colours{
		"float32":            {},
		"float16 in and out": {inElem: typeFloat16, outElem: typeFloat16},
		"float16 in":         {inElem: typeFloat16},
		"batch of one":       {batch: 1},
		"batch of four":      {batch: 4},
		"another name":       {output: "embedding"},
		"width not said":     {freeWidth: true},
	} {
		t.Run(name, func(t *testing.T) {
			m := openColours(t, c, Options{Sessions: 2})
			require.Equal(t, 3, m.Folder().Dims())
			pictures := [][]byte{paint(255, 0, 0), paint(0, 9, 0), paint(0, 0, 255), paint(30, 0, 40), paint(1, 0, 0)}
			vectors, err := m.Embed(t.Context(), pictures)
			require.NoError(t, err)
			want := [][]float32{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {0.6, 0, 0.8}, {1, 0, 0}}
			for i := range want {
				require.InDeltaSlice(t, want[i], vectors[i], 1e-3)
			}
		})
	}
}

func TestEmbedTakesTheClassTokenOfDINO(t *testing.T) {
	files := folderOf(colours{tokens: true}.graph())
	_, err := LoadFS(files)
	require.ErrorContains(t, err, "the graph has no output that is known as a vector (it has last_hidden_state float32[?,?,3])")

	files["config.json"] = &fstest.MapFile{Data: []byte(`{"model_type": "dinov2"}`)}
	f, err := LoadFS(files)
	require.NoError(t, err)
	vectors, err := openModel(t, f, Options{}).Embed(t.Context(), [][]byte{paint(0, 0, 7)})
	require.NoError(t, err)
	require.Equal(t, [][]float32{{0, 0, 1}}, vectors)
}

func TestEmbedReadsExternalWeights(t *testing.T) {
	files := folderOf(colours{external: "vision_model.onnx_data"}.graph())
	_, err := LoadFS(files)
	require.ErrorContains(t, err, "keeps its weights in vision_model.onnx_data")

	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, files))
	_, err = LoadDir(dir)
	require.ErrorContains(t, err, "fetch vision_model.onnx_data too")

	weights := filepath.Join(dir, "onnx", "vision_model.onnx_data")
	require.NoError(t, os.WriteFile(weights, floatBytes(colourWeights()), 0o600))
	f, err := LoadDir(dir)
	require.NoError(t, err)
	vectors, err := openModel(t, f, Options{}).Embed(t.Context(), [][]byte{paint(0, 8, 0)})
	require.NoError(t, err)
	require.Equal(t, [][]float32{{0, 1, 0}}, vectors)

	require.NoError(t, os.WriteFile(weights, make([]byte, 12*3*4), 0o600))
	other, err := LoadDir(dir)
	require.NoError(t, err)
	require.NotEqual(t, f.Fingerprint(), other.Fingerprint())
}

func TestEmbedGivesNoVectorForZero(t *testing.T) {
	m := openColours(t, colours{}, Options{})
	vectors, err := m.Embed(t.Context(), [][]byte{paint(1, 0, 0), paint(0, 0, 0), paint(0, 1, 0), paint(0, 0, 0)})
	require.Equal(t, [][]float32{{1, 0, 0}, nil, {0, 1, 0}, nil}, vectors)
	var failed VectorErrors
	require.ErrorAs(t, err, &failed)
	require.ErrorIs(t, err, ErrNoVector)
	require.Len(t, failed, 2)
	require.Equal(t, []int{1, 3}, []int{failed[0].Index, failed[1].Index})
	require.EqualError(t, err, "picture 1: the model returned no usable vector for it; picture 3: the model returned no usable vector for it")
}

func TestEmbedRefusesPicturesOfAnotherSize(t *testing.T) {
	m := openColours(t, colours{}, Options{})
	_, err := m.Embed(t.Context(), [][]byte{paint(1, 0, 0), {1, 2, 3}})
	require.EqualError(t, err, "picture 1 has 3 bytes, wanted 12 (2×2 RGB)")
	vectors, err := m.Embed(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, vectors)
}

func TestEmbedFromManyGoroutines(t *testing.T) {
	m := openColours(t, colours{}, Options{Sessions: 3, MaxBatch: 5})
	if m.Report().Provider == "cpu" {
		require.Equal(t, 3, m.Report().Sessions)
	}
	var wg sync.WaitGroup
	for seed := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(seed), 1))
			for range 20 {
				var pictures [][]byte
				for range r.IntN(40) {
					p := [3]byte{}
					p[r.IntN(3)] = byte(1 + r.IntN(255))
					pictures = append(pictures, paint(p[0], p[1], p[2]))
				}
				vectors, err := m.Embed(context.Background(), pictures)
				if err != nil {
					t.Error(err)
					return
				}
				for i, v := range vectors {
					for c := range v {
						if (v[c] == 1) != (pictures[i][c] > 0) {
							t.Errorf("picture %v has vector %v", pictures[i][:3], v)
						}
					}
				}
			}
		})
	}
	wg.Wait()
}

func TestEmbedEndsWithItsContextAndItsModel(t *testing.T) {
	m := openColours(t, colours{}, Options{Sessions: 1})
	ctx, cancel := context.WithCancel(t.Context())
	busy, err := m.acquire(ctx) // instead of a running inference
	require.NoError(t, err)
	done := make(chan error)
	go func() {
		_, err := m.Embed(ctx, [][]byte{paint(1, 0, 0)})
		done <- err
	}()
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)

	closed := make(chan error)
	go func() { closed <- m.Close() }()
	<-m.closed
	_, err = m.Embed(t.Context(), [][]byte{paint(1, 0, 0)})
	require.ErrorIs(t, err, ErrClosed)
	m.free.release(busy)
	require.NoError(t, <-closed)
	require.NoError(t, m.Close())
}

func TestOpenReportsWhatItTried(t *testing.T) {
	m := openColours(t, colours{}, Options{Provider: "auto"})
	r := m.Report()
	require.Equal(t, testenv.ONNXRuntime(t), r.Library)
	require.NotEmpty(t, r.Version)
	require.NotContains(t, r.Tried[0], "\n")
	require.Equal(t, r.Provider+": works", r.Tried[len(r.Tried)-1])

	f, err := LoadFS(folderOf(colours{}.graph()))
	require.NoError(t, err)
	library := testenv.ONNXRuntime(t)
	_, err = Open(t.Context(), f, Options{Library: library, Provider: "gpu"})
	require.EqualError(t, err, `provider "gpu": wanted auto, cuda, tensorrt, coreml, webgpu, openvino, cpu`)
	_, err = Open(t.Context(), f, Options{Library: library, Provider: "cpu", DeviceIDs: []int{0}})
	require.ErrorContains(t, err, "cpu: device ids are set, but the CPU has none")
	_, err = Open(t.Context(), f, Options{Library: library, Provider: "cuda", DeviceIDs: []int{0, -1}})
	require.EqualError(t, err, "device id -1: wanted 0 or more")
	_, err = Open(t.Context(), f, Options{Library: library, Sessions: -1})
	require.EqualError(t, err, "MaxBatch 32, Sessions -1: wanted 1 or more")
	_, err = Open(t.Context(), f, Options{Library: library, Provider: "openvino"})
	if err != nil {
		require.ErrorContains(t, err, "(openvino: not in this build of ONNX Runtime)")
	}
}

func TestOpenChecksTheFoldersWidth(t *testing.T) {
	files := folderOf(colours{freeWidth: true}.graph())
	files["config.json"] = &fstest.MapFile{Data: []byte(`{"projection_dim": 512}`)}
	f, err := LoadFS(files)
	require.NoError(t, err)
	require.Equal(t, 512, f.Dims())
	_, err = Open(t.Context(), f, Options{Library: testenv.ONNXRuntime(t), Provider: "cpu"})
	require.ErrorContains(t, err, "is 3 wide, but the folder's files say 512")
}

func TestPartsUseAllSessions(t *testing.T) {
	require.Empty(t, parts(0, 2, 8))
	require.Equal(t, []int{1}, parts(1, 2, 8))
	require.Equal(t, []int{1, 2}, parts(3, 2, 8))
	require.Equal(t, []int{8, 8, 8, 8}, parts(32, 2, 8))
	require.Equal(t, []int{8, 8, 8, 8}, parts(32, 4, 32))
	require.Equal(t, []int{8, 8, 8, 9}, parts(33, 2, 9))
	require.Equal(t, []int{1, 1, 1}, parts(3, 16, 8))
	require.Equal(t, []int{32, 32, 1}, parts(65, 1, 32))
	require.Equal(t, []int{7}, parts(7, 1, 32))
}

// TestEmbedDoesNotDependOnTheBatch runs a real network, whose sessions share their weights and their allocator.
func TestEmbedDoesNotDependOnTheBatch(t *testing.T) {
	f, err := LoadDir(filepath.Join(testenv.Root(), "models", "copydetect"))
	require.NoError(t, err)
	m := openModel(t, f, Options{Provider: "cpu", Sessions: 4})
	pictures := noise(f, 21)
	var alone [][]float32
	for i := range pictures {
		v, err := m.Embed(t.Context(), pictures[i:i+1])
		require.NoError(t, err)
		alone = append(alone, v[0])
	}
	var wg sync.WaitGroup
	for n := 1; n <= len(pictures); n += 5 {
		wg.Go(func() {
			vectors, err := m.Embed(context.Background(), pictures[:n])
			if err != nil {
				t.Error(err)
			}
			for i, v := range vectors {
				if c := cosine(v, alone[i]); c < 0.999999 {
					t.Errorf("picture %d in a batch of %d has cosine %g with itself alone", i, n, c)
				}
			}
		})
	}
	wg.Wait()
}

// noise returns n random pictures of f's size.
func noise(f *Folder, n int) [][]byte {
	width, height := f.Target().Size()
	r := rand.New(rand.NewPCG(1, 2))
	pictures := make([][]byte, n)
	for i := range pictures {
		pictures[i] = make([]byte, width*height*3)
		for k := range pictures[i] {
			pictures[i][k] = byte(r.Uint32())
		}
	}
	return pictures
}
