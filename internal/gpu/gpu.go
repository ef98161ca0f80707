// Package gpu asks the drivers of this machine for their devices. Where there are none, it returns the driver's own reason.
// The drivers' libraries are loaded when they are asked, and stay loaded.
package gpu

/*
#cgo linux LDFLAGS: -ldl
#include "drivers.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"strings"
	"unsafe"
)

// Device is a device of a driver.
type Device struct {
	Name     string
	Software bool // it computes on the CPU
}

// Vulkan returns the devices that the Vulkan loader lists, in its order. The error says that the loader or a driver is
// missing, and what to install.
func Vulkan() ([]Device, error) {
	devices, err := list(func(found *C.struct_gpu_devices) { C.gpu_vulkan(found) })
	switch {
	case err == nil && len(devices) > 0:
		return devices, nil
	case err == nil || strings.Contains(err.Error(), "VK_ERROR_INCOMPATIBLE_DRIVER"):
		return nil, errors.New("the Vulkan loader finds no driver: install the GPU's, or mesa-vulkan-drivers")
	case strings.Contains(err.Error(), "cannot open shared object"):
		return nil, fmt.Errorf("no Vulkan loader (%w): install libvulkan1 and the GPU's driver", err)
	}
	return nil, fmt.Errorf("the Vulkan driver fails: %w", err)
}

// CUDA returns the devices of NVIDIA's driver, by their device id. The error says that the driver is missing, or its own
// reason for having no device.
func CUDA() ([]Device, error) {
	devices, err := list(func(found *C.struct_gpu_devices) { C.gpu_cuda(found) })
	switch {
	case err == nil && len(devices) > 0:
		return devices, nil
	case err == nil:
		return nil, errors.New("NVIDIA's driver lists no device")
	case strings.Contains(err.Error(), "cannot open shared object"):
		return nil, fmt.Errorf("no NVIDIA driver (%w): install it, or give the container its devices", err)
	}
	return nil, fmt.Errorf("NVIDIA's driver fails: %w", err)
}

func list(ask func(*C.struct_gpu_devices)) ([]Device, error) {
	found := (*C.struct_gpu_devices)(C.calloc(1, C.sizeof_struct_gpu_devices))
	defer C.free(unsafe.Pointer(found))
	ask(found)
	if found.error[0] != 0 {
		return nil, errors.New(C.GoString(&found.error[0]))
	}
	devices := make([]Device, found.count)
	for i := range devices {
		devices[i] = Device{C.GoString(&found.devices[i].name[0]), found.devices[i].software != 0}
	}
	return devices, nil
}
