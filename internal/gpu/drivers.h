#include <stdlib.h>

enum { GPU_DEVICES = 64, GPU_NAME = 256, GPU_ERROR = 512 };

// gpu_devices is what a driver lists. error is empty if the driver answered. All texts end with a zero byte.
struct gpu_devices {
	char error[GPU_ERROR];
	int count;
	struct {
		char name[GPU_NAME];
		int software;
	} devices[GPU_DEVICES];
};

void gpu_vulkan(struct gpu_devices *found);
void gpu_cuda(struct gpu_devices *found);
