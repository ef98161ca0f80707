package recognise

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"

	"moderator/internal/config"
	"moderator/internal/testenv"
)

// flattening is a model folder whose vector is the picture's 12 numbers, which none of its files says.
func flattening(t *testing.T) string {
	text := func(b []byte, field protowire.Number, s string) []byte {
		return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), s)
	}
	number := func(b []byte, field protowire.Number, n uint64) []byte {
		return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), n)
	}
	port := func(name string, sizes ...uint64) string { // a size of 0 is free
		var shape []byte
		for _, n := range sizes {
			var size []byte
			if n > 0 {
				size = number(nil, 1, n)
			}
			shape = text(shape, 1, string(size))
		}
		tensor := text(nil, 1, string(text(number(nil, 1, 1), 2, string(shape))))
		return string(text(text(nil, 1, name), 2, string(tensor)))
	}
	node := text(text(text(nil, 1, "pixel_values"), 2, "image_embeds"), 4, "Flatten")
	graph := text(text(nil, 1, string(node)), 2, "flattening")
	graph = text(text(graph, 11, port("pixel_values", 0, 3, 2, 2)), 12, port("image_embeds", 0, 0))
	model := text(text(number(nil, 1, 8), 7, string(graph)), 8, string(number(nil, 2, 13)))

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
