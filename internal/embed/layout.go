package embed

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// GraphFiles returns the possible paths of an image encoder's graph, best first. Full precision comes first; to use a
// smaller variant, leave the larger ones out of the folder.
func GraphFiles() (files []string) {
	for _, name := range []string{"onnx/vision_model", "onnx/model", "vision_model", "model"} {
		for _, precision := range []string{"", "_fp16", "_quantized", "_int8", "_uint8", "_q4", "_q4f16", "_bnb4"} {
			files = append(files, name+precision+".onnx")
		}
	}
	return append(files, immichGraph)
}

// OtherFiles returns the paths of all other files that a model folder may have, but for external weights.
func OtherFiles() (files []string) {
	for _, from := range preprocessings {
		files = append(files, from.name) // config.json is the last
	}
	return append(files, "background.npy", "moderation.json")
}

// ExternalFiles returns the files of weights of an ONNX graph, relative to its folder. They may lie outside of it.
func ExternalFiles(graph []byte) ([]string, error) {
	g, err := parseGraph(graph)
	if err != nil {
		return nil, err
	}
	return g.external, nil
}

// Immich's own layout.
const (
	immichGraph         = "visual/model.onnx"
	immichPreprocessing = "visual/preprocess_cfg.json"
)

func findGraph(fsys fs.FS) (string, error) {
	for _, name := range GraphFiles() {
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
	return "", fmt.Errorf("it has graphs of other names (%s): wanted onnx/vision_model.onnx", strings.Join(found, ", "))
}

// preprocessings are the files that describe the preprocessing, best first.
var preprocessings = []struct {
	name  string
	key   string // of the object in the file; "": the whole file
	parse func([]byte) (preprocessing, error)
}{
	{"preprocessor_config.json", "", parsePreprocessor},
	{"processor_config.json", "image_processor", parsePreprocessor},
	{immichPreprocessing, "", parseOpenCLIP},
	{"open_clip_config.json", "", parseOpenCLIPModel},
	{"config.json", "pretrained_cfg", parseTimm},
}

// readPreprocessing reads the first of the preprocessings that the folder has.
func readPreprocessing(fsys fs.FS, graphPath string) (preprocessing, error) {
	for _, from := range preprocessings {
		if from.name == immichPreprocessing && graphPath != immichGraph {
			continue
		}
		data, err := fs.ReadFile(fsys, from.name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil && from.key != "" {
			var parts map[string]json.RawMessage
			if err = json.Unmarshal(data, &parts); err == nil {
				if data = parts[from.key]; data == nil {
					continue
				}
			}
		}
		var p preprocessing
		if err == nil {
			p, err = from.parse(data)
		}
		if err != nil {
			return preprocessing{}, fmt.Errorf("%s: %w", from.name, err)
		}
		return p, nil
	}
	return preprocessing{}, fmt.Errorf("preprocessor_config.json is missing: fetch it from where %s came from (processor_config.json, open_clip_config.json or timm's config.json serve too)", graphPath)
}
