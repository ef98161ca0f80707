package embed

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	ort "github.com/yalue/onnxruntime_go"

	"moderator/internal/testenv"
	"moderator/models"
)

// A slow device does not delay a shutdown: Open returns when its context ends, and destroys the model later.
func TestOpenEndsWithItsContext(t *testing.T) {
	_, _, err := loadLibrary(testenv.ONNXRuntime(t))
	require.NoError(t, err)
	folder, err := LoadFS(models.CopyDetect())
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	release := make(chan struct{})
	slow := provider{name: "slow", attach: func(*ort.SessionOptions, place) error {
		cancel() // while the device is being prepared
		<-release
		return nil
	}}
	_, err = openUntil(ctx, folder, slow, Options{MaxBatch: 1, Sessions: 1})
	require.ErrorIs(t, err, context.Canceled)
	close(release) // TestMain checks for leaked goroutines
}

// Between sessions and batch sizes, Open checks its context too.
func TestWarmUpEndsWithItsContext(t *testing.T) {
	_, _, err := loadLibrary(testenv.ONNXRuntime(t))
	require.NoError(t, err)
	folder, err := LoadFS(models.CopyDetect())
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	attached := 0
	several := provider{name: "several", attach: func(*ort.SessionOptions, place) error {
		attached++
		cancel()
		return nil
	}}
	_, err = open(ctx, folder, several, Options{MaxBatch: 4, Sessions: 1, DeviceIDs: []int{0, 1, 2}})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 1, attached)
}
