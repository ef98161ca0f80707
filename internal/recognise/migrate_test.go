package recognise

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/config"
	"moderator/internal/onnxfile"
	"moderator/internal/testenv"
)

// flattening is a model folder whose vector is the picture's 12 numbers, which none of its files says.
func flattening(t *testing.T) string {
	node := onnxfile.Message{}.Text(1, "pixel_values").Text(2, "image_embeds").Text(4, "Flatten")
	graph := onnxfile.Message{}.Bytes(1, node).Text(2, "flattening").
		Bytes(11, onnxfile.Port("pixel_values", onnxfile.Float32, -1, 3, 2, 2)).
		Bytes(12, onnxfile.Port("image_embeds", onnxfile.Float32, -1, -1))
	model := onnxfile.Model(graph, 13)

	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "model.onnx"), model, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "preprocessor_config.json"),
		[]byte(`{"size": {"height": 2, "width": 2}, "do_center_crop": false}`), 0o600))
	return dir
}

func TestMigrateRegistersAModelWhoseFilesDoNotSayItsWidth(t *testing.T) {
	var stack config.Stack
	stack.DatabaseURL = testenv.Postgres(t)
	model := config.Model{Model: []string{flattening(t)}, Provider: "cpu", ONNXRuntimeLib: testenv.ONNXRuntime(t)}
	done, err := Migrate(t.Context(), stack, model, "")
	require.NoError(t, err)
	require.Len(t, done.Models, 1)
}
