package embed

import (
	"encoding/json"
	"fmt"

	"moderator/internal/imaging"
)

// openCLIPConfig is OpenCLIP's preprocess_cfg.json, which Immich's model folders have beside visual/model.onnx.
type openCLIPConfig struct {
	Size          json.RawMessage `json:"size"` // 224 or [224, 224], height first
	Mode          string          `json:"mode"`
	Mean          channels        `json:"mean"`
	Std           channels        `json:"std"`
	Interpolation string          `json:"interpolation"`
	ResizeMode    string          `json:"resize_mode"`
}

// parseOpenCLIP parses a preprocess_cfg.json. Absent keys have the defaults of OpenCLIP's PreprocessCfg.
func parseOpenCLIP(data []byte) (preprocessing, error) {
	c := openCLIPConfig{
		Size: []byte("224"), Mode: "RGB", Mean: clipMean, Std: clipStd, Interpolation: "bicubic", ResizeMode: "shortest",
	}
	data, err := withoutNulls(data)
	if err == nil {
		err = json.Unmarshal(data, &c)
	}
	if err != nil {
		return preprocessing{}, err
	}
	var sides []int
	var edge int
	if json.Unmarshal(c.Size, &edge) == nil {
		sides = []int{edge, edge}
	} else if json.Unmarshal(c.Size, &sides) != nil || len(sides) != 2 {
		return preprocessing{}, fmt.Errorf("size %s: wanted a number or [height, width]", c.Size)
	}
	if err := positive(sides...); err != nil {
		return preprocessing{}, err
	}
	kernel, ok := map[string]imaging.Kernel{"bicubic": imaging.KernelCubic, "bilinear": imaging.KernelLinear}[c.Interpolation]
	if !ok {
		return preprocessing{}, fmt.Errorf("interpolation %q is not supported: wanted bicubic or bilinear", c.Interpolation)
	}
	if c.Mode != "RGB" {
		return preprocessing{}, fmt.Errorf("mode %q is not supported: wanted RGB", c.Mode)
	}
	p := preprocessing{scale: 1.0 / 255, mean: c.Mean, std: c.Std}
	height, width := sides[0], sides[1]
	switch c.ResizeMode {
	case "squash":
		p.target = imaging.Target{ResizeWidth: width, ResizeHeight: height, Kernel: kernel}
	case "shortest":
		if height != width {
			return preprocessing{}, fmt.Errorf("size %s with resize_mode shortest: wanted a square", c.Size)
		}
		p.target = imaging.Target{ShortestEdge: height, CropWidth: width, CropHeight: height, Kernel: kernel}
	default:
		return preprocessing{}, fmt.Errorf("resize_mode %q is not supported: wanted shortest or squash", c.ResizeMode)
	}
	return p, p.check()
}

// parseOpenCLIPModel parses an open_clip_config.json. As in OpenCLIP, the network's image_size replaces the preprocessing's
// size.
func parseOpenCLIPModel(data []byte) (preprocessing, error) {
	var c struct {
		Model struct {
			Vision struct {
				ImageSize json.RawMessage `json:"image_size"`
			} `json:"vision_cfg"`
		} `json:"model_cfg"`
		Preprocessing map[string]json.RawMessage `json:"preprocess_cfg"`
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return preprocessing{}, err
	}
	if c.Preprocessing == nil {
		c.Preprocessing = map[string]json.RawMessage{}
	}
	if size := c.Model.Vision.ImageSize; len(size) > 0 && string(size) != "null" {
		c.Preprocessing["size"] = size
	}
	inner, err := json.Marshal(c.Preprocessing)
	if err != nil {
		return preprocessing{}, err
	}
	return parseOpenCLIP(inner)
}
