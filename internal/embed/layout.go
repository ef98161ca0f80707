package embed

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// graphFiles are the places of an image encoder's graph, best first. Full precision comes first: a smaller variant is
// chosen by leaving the larger ones out of the folder.
var graphFiles = []string{
	"onnx/vision_model.onnx", "onnx/vision_model_fp16.onnx", "onnx/vision_model_quantized.onnx",
	"onnx/model.onnx", "onnx/model_fp16.onnx", "onnx/model_quantized.onnx",
	"vision_model.onnx", "vision_model_fp16.onnx", "vision_model_quantized.onnx",
	"model.onnx", "model_fp16.onnx", "model_quantized.onnx",
	immichGraph,
}

// Immich's own layout.
const (
	immichGraph         = "visual/model.onnx"
	immichPreprocessing = "visual/preprocess_cfg.json"
)

func findGraph(fsys fs.FS) (string, error) {
	for _, name := range graphFiles {
		if info, err := fs.Stat(fsys, name); err == nil && info.Mode().IsRegular() {
			return name, nil
		}
	}
	var found []string
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.Count(name, "/") > 1:
			return fs.SkipDir
		case path.Ext(name) == ".onnx":
			found = append(found, name)
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		return "", errors.New("there is no ONNX graph in it: wanted onnx/vision_model.onnx")
	}
	return "", fmt.Errorf("none of its graphs (%s) is an image encoder that is known by its name: wanted onnx/vision_model.onnx", strings.Join(found, ", "))
}

// readPreprocessing reads Hugging Face's preprocessor_config.json, or OpenCLIP's file in Immich's layout.
func readPreprocessing(fsys fs.FS, graphPath string) (preprocessing, error) {
	name, parse := "preprocessor_config.json", parsePreprocessor
	data, err := fs.ReadFile(fsys, name)
	if errors.Is(err, fs.ErrNotExist) && graphPath == immichGraph {
		name, parse = immichPreprocessing, parseOpenCLIP
		data, err = fs.ReadFile(fsys, name)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return preprocessing{}, fmt.Errorf("%s is missing: fetch it from where %s came from", name, graphPath)
	}
	if err != nil {
		return preprocessing{}, err
	}
	p, err := parse(data)
	if err != nil {
		return preprocessing{}, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}
