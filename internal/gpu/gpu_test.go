package gpu

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The drivers of GPUs are not on a machine without one. These libraries answer as they do.
const (
	cudaOfTwo = `int cuInit(unsigned f) { return 0; }
int cuDeviceGetCount(int *n) { *n = 2; return 0; }
int cuDeviceGet(int *d, int i) { *d = i + 10; return 0; }
int cuDeviceGetName(char *name, int size, int d) { name[0] = 'A' + d - 10; name[1] = 0; return size < 2; }
int cuGetErrorString(int e, const char **text) { *text = "x"; return 0; }`
	cudaWithoutDevice = `int cuInit(unsigned f) { return 100; }
int cuDeviceGetCount(int *n) { return 100; }
int cuDeviceGet(int *d, int i) { return 100; }
int cuDeviceGetName(char *name, int size, int d) { return 100; }
int cuGetErrorString(int e, const char **text) { *text = "no CUDA-capable device is detected"; return 0; }`
	vulkanOfTwo = `#include <stdint.h>
#include <string.h>
int vkCreateInstance(const void *info, const void *a, void **i) { *i = (void *)info; return *(const int *)info != 1; }
int vkEnumeratePhysicalDevices(void *i, uint32_t *n, void **d) { if (*n < 2) return -1; *n = 2; d[0] = (void *)1; d[1] = (void *)2; return 0; }
void vkGetPhysicalDeviceProperties(void *d, uint32_t *p) {
	memset(p, 0, 824);
	p[4] = d == (void *)1 ? 2 : 4;
	strcpy((char *)(p + 5), d == (void *)1 ? "a GPU" : "llvmpipe");
}
void vkDestroyInstance(void *i, const void *a) {}`
	vulkanWithoutDriver = `int vkCreateInstance(const void *info, const void *a, void **i) { return -9; }
int vkEnumeratePhysicalDevices(void *i, unsigned *n, void **d) { return -1; }
void vkGetPhysicalDeviceProperties(void *d, void *p) {}
void vkDestroyInstance(void *i, const void *a) {}`
	anotherLibrary = `int unrelated;`
)

const askEnv = "GPU_TEST_ASK"

func TestMain(m *testing.M) {
	ask := map[string]func() ([]Device, error){"libcuda.so.1": CUDA, "libvulkan.so.1": Vulkan}[os.Getenv(askEnv)]
	if ask == nil {
		os.Exit(m.Run())
	}
	fmt.Println(ask())
}

func TestDriversSayWhatTheyHave(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the loader's variables are Linux's")
	}
	for _, c := range []struct{ library, source, want string }{
		{"libcuda.so.1", cudaOfTwo, "[{A false} {B false}] <nil>"},
		{"libcuda.so.1", cudaWithoutDevice, "[] NVIDIA's driver fails: no CUDA-capable device is detected (100)"},
		{"libcuda.so.1", anotherLibrary, "[] NVIDIA's driver fails: libcuda.so.1 is not NVIDIA's driver"},
		{"libvulkan.so.1", vulkanOfTwo, "[{a GPU false} {llvmpipe true}] <nil>"},
		{"libvulkan.so.1", vulkanWithoutDriver, "[] the Vulkan loader finds no driver: install the GPU's, or mesa-vulkan-drivers"},
		{"libvulkan.so.1", anotherLibrary, "[] the Vulkan driver fails: libvulkan.so.1 has no Vulkan 1.0"},
	} {
		dir := t.TempDir()
		source := filepath.Join(dir, "driver.c")
		require.NoError(t, os.WriteFile(source, []byte(c.source), 0o600))
		out, err := exec.CommandContext(t.Context(), "cc", "-shared", "-fPIC", "-o", filepath.Join(dir, c.library), source).CombinedOutput()
		require.NoError(t, err, string(out))
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), askEnv+"="+c.library, "LD_LIBRARY_PATH="+dir)
		out, err = cmd.Output()
		require.NoError(t, err)
		require.Equal(t, c.want, strings.TrimSpace(string(out)))
	}
}

// Where there is no driver, the loader's reason names the file.
func TestAMissingDriverIsNamed(t *testing.T) {
	for library, ask := range map[string]func() ([]Device, error){"libcuda.so.1": CUDA, "libvulkan.so.1": Vulkan} {
		devices, err := ask()
		if err == nil {
			require.NotEmpty(t, devices)
			continue
		}
		require.Regexp(t, library+"|finds no driver|fails", err.Error())
	}
}
