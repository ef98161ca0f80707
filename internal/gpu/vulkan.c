// Lists Vulkan's physical devices. The declarations are the few of the Vulkan 1.0 specification that this needs, so that the
// build needs no headers.
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "drivers.h"

enum { STRUCTURE_INSTANCE = 1, DEVICE_TYPE_CPU = 4, VK_INCOMPLETE = 5, VK_ERROR_INCOMPATIBLE_DRIVER = -9 };

typedef void *handle;

struct instance_create_info {
	int type;
	const void *next;
	uint32_t flags;
	const void *application;
	uint32_t layer_count;
	const char *const *layers;
	uint32_t extension_count;
	const char *const *extensions;
};

// The specification's structure has 824 bytes, limits and features included. The rest leaves room for alignment.
union device_properties {
	struct {
		uint32_t api, driver, vendor, device;
		int type;
		char name[256];
	} known;
	uint64_t size[128];
};

typedef int (*create_instance)(const struct instance_create_info *, const void *, handle *);
typedef int (*enumerate_devices)(handle, uint32_t *, handle *);
typedef void (*get_properties)(handle, union device_properties *);
typedef void (*destroy_instance)(handle, const void *);

void gpu_vulkan(struct gpu_devices *found) {
	void *loader = dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);
	if (!loader) {
		snprintf(found->error, GPU_ERROR, "%s", dlerror());
		return;
	}
	create_instance create = (create_instance)dlsym(loader, "vkCreateInstance");
	enumerate_devices enumerate = (enumerate_devices)dlsym(loader, "vkEnumeratePhysicalDevices");
	get_properties properties = (get_properties)dlsym(loader, "vkGetPhysicalDeviceProperties");
	destroy_instance destroy = (destroy_instance)dlsym(loader, "vkDestroyInstance");
	if (!create || !enumerate || !properties || !destroy) {
		snprintf(found->error, GPU_ERROR, "libvulkan.so.1 has no Vulkan 1.0");
		return;
	}
	struct instance_create_info info = {.type = STRUCTURE_INSTANCE};
	handle instance = NULL;
	int result = create(&info, NULL, &instance);
	if (result != 0) {
		snprintf(found->error, GPU_ERROR, "vkCreateInstance returns %s (%d)",
			result == VK_ERROR_INCOMPATIBLE_DRIVER ? "VK_ERROR_INCOMPATIBLE_DRIVER" : "an error", result);
		return;
	}
	handle devices[GPU_DEVICES];
	uint32_t count = GPU_DEVICES;
	result = enumerate(instance, &count, devices);
	if (result != 0 && result != VK_INCOMPLETE) {
		snprintf(found->error, GPU_ERROR, "vkEnumeratePhysicalDevices returns an error (%d)", result);
		count = 0;
	}
	for (uint32_t i = 0; i < count; i++) {
		union device_properties p;
		memset(&p, 0, sizeof p);
		properties(devices[i], &p);
		snprintf(found->devices[i].name, GPU_NAME, "%.255s", p.known.name);
		found->devices[i].software = p.known.type == DEVICE_TYPE_CPU;
	}
	found->count = (int)count;
	destroy(instance, NULL);
}
