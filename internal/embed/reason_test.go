package embed

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/gpu"
)

// driver returns a provider whose driver lists the devices, or fails.
func driver(name string, err error, devices ...string) provider {
	return provider{name: name, devices: func() (list []gpu.Device, _ error) {
		for _, d := range devices {
			list = append(list, gpu.Device{Name: d})
		}
		return list, err
	}}
}

func TestReasonHasTheDriversOwn(t *testing.T) {
	adapter := errors.New("Error creating C session: Failed to get a WebGPU adapter: No supported adapters")
	loader := errors.New("no Vulkan loader (libvulkan.so.1)")
	require.Equal(t, "WebGPU finds no device; no Vulkan loader (libvulkan.so.1)", driver("webgpu", loader).reason(adapter))
	require.Equal(t, "WebGPU finds no device, it takes none of Vulkan's devices: old llvmpipe", driver("webgpu", nil, "old llvmpipe").reason(adapter))
	failed := errors.New("CUDA failure 35: driver is insufficient")
	require.Equal(t, "CUDA failure 35: driver is insufficient", driver("cuda", nil, "H200").reason(failed))
	require.Equal(t, "CUDA failure 35: driver is insufficient; no NVIDIA driver", driver("cuda", errors.New("no NVIDIA driver")).reason(failed))
	require.Equal(t, "CUDA failure 35: driver is insufficient", provider{name: "openvino"}.reason(failed))
}

func TestReportNamesTheDevicesInUse(t *testing.T) {
	require.Equal(t, []string{"a"}, driver("cuda", nil, "a", "b").inUse(nil))
	require.Equal(t, []string{"b", "a"}, driver("cuda", nil, "a", "b").inUse([]int{1, 0, 7}))
	require.Equal(t, []string{"a", "b"}, driver("webgpu", nil, "a", "b").inUse(nil))
	require.Empty(t, driver("cuda", errors.New("no driver")).inUse(nil))
	require.Empty(t, provider{name: "cpu"}.inUse(nil))
	require.Equal(t, "cuda (a, b)", Report{Provider: "cuda", Devices: []string{"a", "b"}}.On())
	require.Equal(t, "cpu", Report{Provider: "cpu"}.On())
}
