package models_test

import (
	"encoding/json"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/dot"
	"moderator/internal/embed"
	"moderator/internal/testenv"
	"moderator/models"
)

func TestCopyDetectIsTheFolderOnDisk(t *testing.T) {
	shipped, err := embed.LoadFS(models.CopyDetect())
	require.NoError(t, err)
	onDisk, err := embed.LoadDir(filepath.Join(testenv.Root(), "models", "copydetect"))
	require.NoError(t, err)
	require.Equal(t, onDisk.Fingerprint(), shipped.Fingerprint())
	require.Equal(t, "copydetect", shipped.Name())

	rows, dims := shipped.Background().Size()
	require.GreaterOrEqual(t, rows, 2000)
	require.Equal(t, shipped.Dims(), dims)
	_, _, ok := shipped.Thresholds()
	require.True(t, ok)
}

func TestCopyDetectRuns(t *testing.T) {
	f, err := embed.LoadFS(models.CopyDetect())
	require.NoError(t, err)
	m, err := embed.Open(t.Context(), f, embed.Options{Library: testenv.ONNXRuntime(t), Provider: "cpu"})
	require.NoError(t, err)
	defer func() { require.NoError(t, m.Close()) }()
	width, height := f.Target().Size()
	var picture []byte // that of check.json
	for y := range height {
		for x := range width {
			for c := range 3 {
				picture = append(picture, byte(7*x+13*y+29*c))
			}
		}
	}
	vectors, err := m.Embed(t.Context(), [][]byte{picture})
	require.NoError(t, err)
	require.Positive(t, f.BackgroundPenalty(vectors[0]))

	file, err := fs.ReadFile(models.CopyDetect(), "onnx/check.json")
	require.NoError(t, err)
	var check struct {
		Cosine float64
		Output []float32
	}
	require.NoError(t, json.Unmarshal(file, &check))
	require.Len(t, check.Output, f.Dims())
	require.GreaterOrEqual(t, float64(dot.Product(vectors[0], check.Output)), check.Cosine, "what the training program computed")
}
