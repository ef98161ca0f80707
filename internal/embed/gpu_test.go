package embed

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/models"
)

// TestGPU compares the shipped model on the provider that auto finds with the CPU. `make gpu-check` runs it, and fails if
// auto finds only the CPU.
func TestGPU(t *testing.T) {
	if os.Getenv("MODERATOR_GPU_CHECK") == "" {
		t.Skip("MODERATOR_GPU_CHECK is not set: `make gpu-check` runs this test where a GPU is at hand")
	}
	folder, err := LoadFS(models.CopyDetect())
	require.NoError(t, err)
	found := openModel(t, folder, Options{Provider: "auto"})
	report := found.Report()
	if report.Provider == "cpu" {
		t.Fatalf("gpu-check: auto found no GPU (%s): install its driver, or set %s to a build of ONNX Runtime for it",
			strings.Join(report.Tried, "; "), LibraryEnv)
	}
	t.Logf("gpu-check: provider %s, ONNX Runtime %s", report.Provider, report.Version)

	cpu := openModel(t, folder, Options{Provider: "cpu"})
	width, height := folder.Target().Size()
	for seed := range 32 {
		picture := make([]byte, 3*width*height)
		for i := range picture {
			picture[i] = byte(i*(2*seed+1)/7 ^ i>>(4+seed%5))
		}
		got, err := found.Embed(t.Context(), [][]byte{picture})
		require.NoError(t, err)
		want, err := cpu.Embed(t.Context(), [][]byte{picture})
		require.NoError(t, err)
		require.GreaterOrEqual(t, cosine(got[0], want[0]), 0.999, "picture %d", seed)
	}
}
