package vit

import (
	"fmt"
	"testing/fstest"
)

const processor = `{"image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": %d}, "resample": 3,
 "do_center_crop": true, "crop_size": {"height": %[1]d, "width": %[1]d}}`

// Graph is the graph's file in the folder of a tower.
func (p Precision) Graph() string {
	return "onnx/vision_model" + map[Precision]string{Float16: "_fp16", Int8: "_quantized"}[p] + ".onnx"
}

// Folder returns the model folder of a tower. Its thresholds let no unrelated pictures match.
func (t Tower) Folder(name string, seed uint64, precision Precision) fstest.MapFS {
	return fstest.MapFS{
		precision.Graph(): {Data: t.Build(seed, precision)},
		"config.json": {Data: fmt.Appendf(nil,
			`{"_name_or_path": %q, "model_type": "clip_vision_model", "projection_dim": %d}`, name, t.Projection)},
		"preprocessor_config.json": {Data: fmt.Appendf(nil, processor, t.Image)},
		"moderation.json":          {Data: []byte(`{"score": "cosine", "block_at": 0.999, "review_at": 0.999}`)},
	}
}
