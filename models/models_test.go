package models_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

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
	picture := make([]byte, width*height*3)
	for i := range picture {
		picture[i] = byte(i / 100)
	}
	vectors, err := m.Embed(t.Context(), [][]byte{picture})
	require.NoError(t, err)
	require.Len(t, vectors[0], f.Dims())
	require.Positive(t, f.HalfB(vectors[0]))
}
