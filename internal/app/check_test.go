package app

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/config"
	"moderator/internal/testenv"
)

// check prints the batch size of inference, which --batch-size bounds.
func TestBatchSizeReachesTheModel(t *testing.T) {
	var c config.Run
	c.Provider, c.ONNXRuntimeLib, c.BatchSize, c.DataDir = "cpu", testenv.ONNXRuntime(t), 3, t.TempDir()
	var out bytes.Buffer
	_ = Check(t.Context(), c, &out) // the other settings are not given
	require.Contains(t, out.String(), "sessions, batches of at most 3\n")
}

func TestCheckSaysWhereEmbeddingsAreSearched(t *testing.T) {
	var c config.Run
	c.Provider, c.ONNXRuntimeLib, c.DataDir = "cpu", testenv.ONNXRuntime(t), t.TempDir()
	for device, want := range map[string]string{
		"off": "ok    match device off\n", "cpu": "ok    match device cpu\n",
		"abacus": `FAIL  match device --match-device abacus: provider "abacus": wanted auto, `,
	} {
		c.MatchDevice = device
		var out bytes.Buffer
		_ = Check(t.Context(), c, &out)
		require.Contains(t, out.String(), want)
	}
}
