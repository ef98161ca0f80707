package embed

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/testenv"
)

func TestPlainSaysWhyAProviderDoesNotWork(t *testing.T) {
	present := filepath.Join(t.TempDir(), "libonnxruntime_providers_cuda.so")
	require.NoError(t, os.WriteFile(present, nil, 0o600))
	for message, want := range map[string]string{
		"/src/provider_bridge_ort.cc:1988 Get() [ONNXRuntimeError] : 1 : FAIL : Failed to load library /lib/libonnxruntime_providers_shared.so with error: /lib/libonnxruntime_providers_shared.so: cannot open shared object file: No such file or directory\n": "not in this build of ONNX Runtime (no libonnxruntime_providers_shared.so beside it)",
		"FAIL : Failed to load library " + present + " with error: libcudnn.so.9: cannot open shared object file: No such file or directory":                                                                                                                     "a library that it needs is missing: libcudnn.so.9: cannot open shared object file: No such file or directory",
		"CANN execution provider is not enabled in this build. ":         "not in this build of ONNX Runtime",
		"Unknown provider name 'WebGPU'. Currently supported values are": "not in this build of ONNX Runtime",
		"Error creating C session: Failed to get a WebGPU adapter: none": noAdapter,
		"something\nand its stack":                                       "something",
	} {
		require.Equal(t, want, plain(errors.New(message)))
	}
}

func TestCandidates(t *testing.T) {
	names := func(setting string) (names []string) {
		list, err := candidates(setting)
		require.NoError(t, err)
		for _, p := range list {
			names = append(names, p.name)
		}
		return names
	}
	require.Equal(t, []string{"tensorrt"}, names("tensorrt"))
	require.Equal(t, names(""), names("auto"))
	require.Equal(t, "cuda", names("auto")[0])
	require.Equal(t, "cpu", names("auto")[len(names("auto"))-1])
	require.NotContains(t, names("auto"), "tensorrt")
}

func TestDevicesOptions(t *testing.T) {
	require.Equal(t, map[string]string{"device_id": "0"}, cudaOptions(place{device: -1}))
	require.Equal(t, map[string]string{"device_id": "3", "arena_extend_strategy": "kSameAsRequested"}, cudaOptions(place{device: 3, exact: true}))
}

func TestAutoIsAGPU(t *testing.T) {
	var tried []string
	_, err := OpenDevice(t.Context(), Options{Library: testenv.ONNXRuntime(t)}, func(d *Device) error {
		tried = append(tried, d.provider.name)
		return errors.New("no")
	})
	require.ErrorContains(t, err, "no provider works: cuda: no")
	require.NotContains(t, tried, "openvino")
	require.NotContains(t, tried, "cpu")
}

// The precision is the model's: of its weights, whatever its inputs and outputs are.
func TestTensorRTComputesFloat16ModelsInFloat16(t *testing.T) {
	options, err := tensorRTOptions(place{device: -1, half: true})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"device_id": "0", "trt_fp16_enable": "1"}, options)
	for name, c := range map[string]colours{"inputs": {inElem: typeFloat16, outElem: typeFloat16}, "weights": {halfWeights: true}, "constant": {halfWeights: true, constant: true}} {
		f, err := LoadFS(folderOf(c.graph()))
		require.NoError(t, err)
		require.Equal(t, c.halfWeights, f.half, name)
	}
}

func TestTensorRTKeepsItsEngines(t *testing.T) {
	options, err := tensorRTOptions(place{device: -1})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"device_id": "0"}, options)

	data := filepath.Join(t.TempDir(), "data")
	options, err = tensorRTOptions(place{device: 2, cache: data})
	require.NoError(t, err)
	engines := filepath.Join(data, "tensorrt")
	require.Equal(t, map[string]string{
		"device_id": "2", "trt_engine_cache_enable": "1", "trt_engine_cache_path": engines,
		"trt_timing_cache_enable": "1", "trt_timing_cache_path": engines,
	}, options)
	require.DirExists(t, engines)

	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err = tensorRTOptions(place{cache: file})
	require.ErrorContains(t, err, "folder of TensorRT's engines: mkdir "+file)
}

func TestBatchSizes(t *testing.T) {
	gpu, cpu := provider{compiles: true}, provider{}
	sizes := func(p provider, fixed, largest int) []int {
		sizes, free := batchSizes(p, fixed, largest)
		require.Equal(t, fixed == 0 && !p.compiles, free)
		return sizes
	}
	require.Equal(t, []int{1, 2, 4, 8, 16, 24}, sizes(gpu, 0, 24))
	require.Equal(t, []int{1}, sizes(gpu, 0, 1))
	require.Equal(t, []int{4}, sizes(gpu, 4, 32))
	require.Equal(t, []int{1}, sizes(cpu, 1, 32))
	require.Equal(t, []int{cpuBatch}, sizes(cpu, 0, 32))
	require.Equal(t, []int{5}, sizes(cpu, 0, 5))

	s := &slot{sizes: []int{1, 2, 4, 8, 16, 24}}
	require.Equal(t, []int{1, 2, 4, 4, 24}, []int{s.size(1), s.size(2), s.size(3), s.size(4), s.size(17)})
}

func TestAFixedBatchSizeIsWarnedOf(t *testing.T) {
	warned := func(c colours, p provider) string {
		f, err := LoadFS(folderOf(c.graph()))
		require.NoError(t, err)
		var log bytes.Buffer
		warnOfFixedBatch(f, p, Options{MaxBatch: 32, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		return log.String()
	}
	require.Contains(t, warned(colours{batch: 1}, provider{compiles: true}), "graph=onnx/vision_model.onnx fixed=1 wanted=32")
	require.Empty(t, warned(colours{}, provider{compiles: true}))
	require.Empty(t, warned(colours{batch: 1}, provider{}))
}
