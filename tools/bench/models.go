package main

import (
	"io/fs"
	"os"
	"path/filepath"

	"moderator/internal/embed"
	"moderator/internal/imaging"
	"moderator/models"
)

// model is a model folder, with what the ceiling needs to run its graph.
type model struct {
	name          string
	dir           string
	graph         string // file
	input, output string
	target        imaging.Target
	dims          int
	fingerprint   string
	rival         bool // the rivals run it, too
}

const (
	vitFull      = "vit-b32-fp32"
	vitQuantised = "vit-b32-int8"
	shipped      = "copydetect"
)

const modelSeed = 5

const clipProcessor = `{"image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": 224}, "resample": 3,
 "do_center_crop": true, "crop_size": {"height": 224, "width": 224}}`

// writeModels writes two towers with random weights, and the shipped model, as folders in dir.
func writeModels(dir string) ([]model, error) {
	all := []model{
		{name: vitFull, graph: "onnx/vision_model.onnx", rival: true},
		{name: vitQuantised, graph: "onnx/vision_model_quantized.onnx", rival: true},
		{name: shipped, graph: "onnx/vision_model.onnx"},
	}
	for i := range all {
		m := &all[i]
		m.dir = filepath.Join(dir, "models", m.name)
		m.graph = filepath.Join(m.dir, m.graph)
		m.input, m.output = "pixel_values", "image_embeds"
		if err := m.write(); err != nil {
			return nil, err
		}
		folder, err := embed.LoadDir(m.dir)
		if err != nil {
			return nil, err
		}
		m.target, m.dims, m.fingerprint = folder.Target(), folder.Dims(), folder.Fingerprint()
	}
	return all, nil
}

func (m *model) write() error {
	if m.name == shipped {
		return copyFolder(models.CopyDetect(), m.dir)
	}
	if err := os.MkdirAll(filepath.Dir(m.graph), 0o755); err != nil {
		return err
	}
	files := map[string][]byte{
		m.graph: vitB32.build(modelSeed, m.name == vitQuantised),
		filepath.Join(m.dir, "config.json"): []byte(
			`{"_name_or_path": "bench/` + m.name + `", "model_type": "clip_vision_model", "projection_dim": 512}`),
		filepath.Join(m.dir, "preprocessor_config.json"): []byte(clipProcessor),
		filepath.Join(m.dir, "moderation.json"):          []byte(`{"score": "cosine", "block_at": 0.999, "review_at": 0.999}`),
	}
	for path, data := range files {
		if err := os.WriteFile(path, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func copyFolder(from fs.FS, dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	return os.CopyFS(dir, from)
}
