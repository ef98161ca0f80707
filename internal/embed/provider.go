package embed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	ort "github.com/yalue/onnxruntime_go"

	"moderator/internal/gpu"
)

// provider is one of ONNX Runtime's execution providers.
type provider struct {
	name   string
	attach func(o *ort.SessionOptions, on place) error // adds the provider to o
	// compiles means that it compiles kernels for each shape, so that only a few batch sizes should occur.
	compiles bool
	// absent returns why the provider cannot work, or "". With auto it returns too why the CPU is better. It may be nil.
	absent func(auto bool) string
	// devices lists the devices of the provider's driver. It may be nil.
	devices func() ([]gpu.Device, error)
	// turn is held while the runtime works for any session of the provider. It is nil where sessions may work concurrently.
	turn *sync.Mutex
}

// inTurn calls do, beside which no other call for the provider runs if its sessions must not work concurrently.
func (p provider) inTurn(do func() error) error {
	if p.turn != nil {
		p.turn.Lock()
		defer p.turn.Unlock()
	}
	return do()
}

// webGPUTurn guards WebGPU's device, which all sessions share without locks of its own: concurrent sessions crash the process.
var webGPUTurn sync.Mutex

// place is the device of a session.
type place struct {
	device int    // -1: the provider's default
	cache  string // folder for compiled engines; empty: they are compiled at each start
	half   bool   // the graph is of float16
	exact  bool   // memory is taken as it is asked for, and not twice as much each time
}

var providers = []provider{
	{name: "cuda", attach: attachCUDA, compiles: true, devices: gpu.CUDA},
	{name: "tensorrt", attach: attachTensorRT, compiles: true, devices: gpu.CUDA},
	{name: "coreml", attach: attachCoreML, compiles: true},
	{name: "webgpu", attach: attachWebGPU, compiles: true, absent: noVulkan, devices: vulkanDevices, turn: &webGPUTurn},
	{name: "openvino", attach: attachOpenVINO, compiles: true},
	{name: "cpu", attach: attachCPU},
}

// candidates returns the providers to try for a setting, best first. TensorRT takes minutes to build engines at its first
// start, so that only its own setting selects it.
func candidates(setting string) ([]provider, error) {
	var found []provider
	var names []string
	for _, p := range providers {
		names = append(names, p.name)
		switch {
		case setting == p.name:
			return []provider{p}, nil
		case p.name == "tensorrt", p.name == "coreml" && runtime.GOOS != "darwin":
		default:
			found = append(found, p)
		}
	}
	if setting != "auto" && setting != "" {
		return nil, fmt.Errorf("provider %q: wanted auto, %s", setting, strings.Join(names, ", "))
	}
	return found, nil
}

// firstThatWorks calls try with each provider until one works, and returns it, or nil. tried has a line for each. The error is that
// of ctx; with works it ended when that provider had been tried.
func firstThatWorks(ctx context.Context, list []provider, log *slog.Logger, try func(provider) error) (works *provider, tried []string, err error) {
	for i, p := range list {
		if err := ctx.Err(); err != nil {
			return nil, tried, err
		}
		start := time.Now()
		if p.absent != nil {
			if why := p.absent(len(list) > 1); why != "" {
				tried = append(tried, p.name+": "+why)
				continue
			}
		}
		if err := try(p); err != nil {
			log.Debug("execution provider does not work", "provider", p.name, "error", err)
			tried = append(tried, p.name+": "+p.reason(err))
			continue
		}
		log.Debug("execution provider works", "provider", p.name, "ready_after", time.Since(start))
		return &list[i], append(tried, p.name+": works"), ctx.Err()
	}
	return nil, tried, ctx.Err()
}

func attachCPU(_ *ort.SessionOptions, on place) error {
	if on.device >= 0 {
		return errors.New("device ids are set, but the CPU has none")
	}
	return nil
}

func attachCUDA(o *ort.SessionOptions, on place) error {
	c, err := ort.NewCUDAProviderOptions()
	if err != nil {
		return err
	}
	defer c.Destroy()
	if err := c.Update(cudaOptions(on)); err != nil {
		return err
	}
	return o.AppendExecutionProviderCUDA(c)
}

func cudaOptions(on place) map[string]string {
	options := map[string]string{"device_id": strconv.Itoa(max(on.device, 0))}
	if on.exact {
		options["arena_extend_strategy"] = "kSameAsRequested"
	}
	return options
}

// attachTensorRT adds CUDA too, for operators that TensorRT does not support.
func attachTensorRT(o *ort.SessionOptions, on place) error {
	options, err := tensorRTOptions(on)
	if err != nil {
		return err
	}
	t, err := ort.NewTensorRTProviderOptions()
	if err != nil {
		return err
	}
	defer t.Destroy()
	if err := t.Update(options); err != nil {
		return err
	}
	if err := o.AppendExecutionProviderTensorRT(t); err != nil {
		return err
	}
	return attachCUDA(o, on)
}

// tensorRTOptions caches engines in a folder of their own, because each takes minutes to build. TensorRT computes graphs of float16
// in float16, as the other providers do, and others in float32: the precision is the model's.
func tensorRTOptions(on place) (map[string]string, error) {
	options := map[string]string{"device_id": strconv.Itoa(max(on.device, 0))}
	if on.half {
		options["trt_fp16_enable"] = "1"
	}
	if on.cache == "" {
		return options, nil
	}
	engines := filepath.Join(on.cache, "tensorrt")
	if err := os.MkdirAll(engines, 0o755); err != nil {
		return nil, fmt.Errorf("create the folder of TensorRT's engines: %w", err)
	}
	options["trt_engine_cache_enable"], options["trt_engine_cache_path"] = "1", engines
	options["trt_timing_cache_enable"], options["trt_timing_cache_path"] = "1", engines // engines of other sizes are built faster
	return options, nil
}

func attachCoreML(o *ort.SessionOptions, on place) error {
	if on.device > 0 {
		return errors.New("CoreML chooses the device itself: leave the device ids out")
	}
	return o.AppendExecutionProviderCoreMLV2(map[string]string{"ModelFormat": "MLProgram"})
}

func attachWebGPU(o *ort.SessionOptions, on place) error {
	if on.device > 0 {
		return errors.New("WebGPU uses the system's default GPU: leave the device ids out")
	}
	return o.AppendExecutionProvider("WebGPU", nil)
}

func attachOpenVINO(o *ort.SessionOptions, on place) error {
	options := map[string]string{}
	if on.device >= 0 {
		options["device_type"] = fmt.Sprintf("GPU.%d", on.device)
	}
	return o.AppendExecutionProviderOpenVINO(options)
}
