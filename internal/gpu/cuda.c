// Lists the devices of NVIDIA's driver, by its own interface (libcuda), which needs no CUDA toolkit.
#include <dlfcn.h>
#include <stdio.h>

#include "drivers.h"

typedef int (*initialise)(unsigned);
typedef int (*device_count)(int *);
typedef int (*device_get)(int *, int);
typedef int (*device_name)(char *, int, int);
typedef int (*error_text)(int, const char **);

void gpu_cuda(struct gpu_devices *found) {
	void *driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
	if (!driver) {
		snprintf(found->error, GPU_ERROR, "%s", dlerror());
		return;
	}
	initialise init = (initialise)dlsym(driver, "cuInit");
	device_count count_devices = (device_count)dlsym(driver, "cuDeviceGetCount");
	device_get get = (device_get)dlsym(driver, "cuDeviceGet");
	device_name name = (device_name)dlsym(driver, "cuDeviceGetName");
	error_text text = (error_text)dlsym(driver, "cuGetErrorString");
	if (!init || !count_devices || !get || !name || !text) {
		snprintf(found->error, GPU_ERROR, "libcuda.so.1 is not NVIDIA's driver");
		return;
	}
	int count = 0, result = init(0);
	if (result == 0)
		result = count_devices(&count);
	if (count > GPU_DEVICES)
		count = GPU_DEVICES;
	for (int i = 0; result == 0 && i < count; i++) {
		int device = 0;
		result = get(&device, i);
		if (result == 0)
			result = name(found->devices[i].name, GPU_NAME, device);
	}
	if (result != 0) {
		const char *reason = NULL;
		if (text(result, &reason) != 0 || !reason)
			reason = "an error";
		snprintf(found->error, GPU_ERROR, "%s (%d)", reason, result);
		return;
	}
	found->count = count;
}
