package embed

import (
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"moderator/internal/gpu"
)

// vulkanDevices lists the devices of WebGPU, which uses Vulkan on Linux alone.
func vulkanDevices() ([]gpu.Device, error) {
	if runtime.GOOS != "linux" {
		return nil, nil
	}
	return gpu.Vulkan()
}

// noVulkan returns why WebGPU cannot work. It asks before the runtime does, which prints its own lines about Vulkan. With auto
// it also refuses software devices, because they are slower than inference on the CPU.
func noVulkan(auto bool) string {
	if auto && runtime.GOOS == "linux" && !gpuFile() {
		return "no GPU's device file (/dev/dri/renderD*, /dev/nvidia0, /dev/dxg)"
	}
	devices, err := vulkanDevices()
	if err != nil {
		return err.Error()
	}
	hardware := func(d gpu.Device) bool { return !d.Software }
	if auto && len(devices) > 0 && !slices.ContainsFunc(devices, hardware) {
		return "Vulkan has only a software device, which is slower than the CPU provider: " + strings.Join(names(devices), ", ")
	}
	return ""
}

func gpuFile() bool {
	for _, pattern := range []string{"/dev/dri/renderD*", "/dev/nvidia[0-9]*", "/dev/dxg"} {
		if found, _ := filepath.Glob(pattern); len(found) > 0 { // the only error is of a bad pattern
			return true
		}
	}
	return false
}

func names(devices []gpu.Device) []string {
	list := make([]string, len(devices))
	for i, d := range devices {
		list[i] = d.Name
	}
	return list
}

// inUse returns the names of the devices with the given ids; without ids, of the first device. WebGPU chooses itself, so that
// all its devices are returned.
func (p provider) inUse(ids []int) []string {
	if p.devices == nil {
		return nil
	}
	devices, err := p.devices()
	if err != nil || p.name == "webgpu" {
		return names(devices)
	}
	if len(ids) == 0 {
		ids = []int{0}
	}
	var used []string
	for _, id := range ids {
		if id < len(devices) {
			used = append(used, devices[id].Name)
		}
	}
	return used
}

// reason says in one line why the provider does not work: the runtime's error in plain words, and the driver's own where it
// has no device.
func (p provider) reason(err error) string {
	text := plain(err)
	if p.devices == nil {
		return text
	}
	devices, missing := p.devices()
	switch {
	case missing != nil:
		return text + "; " + missing.Error()
	case text == noAdapter:
		return text + ", it takes none of Vulkan's devices: " + strings.Join(names(devices), ", ")
	}
	return text
}

const noAdapter = "WebGPU finds no device"

// loadFailure matches the runtime's error if a provider's library, or one of its dependencies, is missing.
var loadFailure = regexp.MustCompile(`Failed to load library (\S+) with error: (.*)`)

// plain returns a clear text for known obscure errors of providers, and else the first line of the error.
func plain(err error) string {
	const absent = "not in this build of ONNX Runtime"
	text, _, _ := strings.Cut(strings.TrimSpace(err.Error()), "\n")
	has := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(text, p) })
	}
	if m := loadFailure.FindStringSubmatch(text); m != nil {
		if _, err := os.Stat(m[1]); err != nil {
			return absent + " (no " + filepath.Base(m[1]) + " beside it)"
		}
		return "a library that it needs is missing: " + m[2]
	}
	switch {
	case has("not enabled in this build", "not supported in this build", "Unknown provider name", "does not support CoreML", "OpenVINO_V2: Failed to load shared library"):
		return absent
	case has("WebGPU adapter"):
		return noAdapter
	}
	return text
}
