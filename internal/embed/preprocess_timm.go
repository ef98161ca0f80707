package embed

import (
	"encoding/json"
	"fmt"

	"moderator/internal/imaging"
)

// timmConfig is the pretrained_cfg of timm's config.json.
type timmConfig struct {
	InputSize     []int    `json:"input_size"` // channels, height, width
	Interpolation filter   `json:"interpolation"`
	Mean          channels `json:"mean"`
	Std           channels `json:"std"`
	CropFraction  float64  `json:"crop_pct"`
	CropMode      string   `json:"crop_mode"`
}

// parseTimm parses the pretrained_cfg of a timm config.json. Absent keys have the defaults of timm's resolve_data_config.
// The geometry is that of its transforms_imagenet_eval.
func parseTimm(data []byte) (preprocessing, error) {
	c := timmConfig{
		InputSize: []int{3, 224, 224}, Interpolation: filter{imaging.KernelCubic}, Mean: imageNetMean, Std: imageNetStd,
		CropFraction: 0.875, CropMode: "center",
	}
	data, err := withoutNulls(data)
	if err == nil {
		err = json.Unmarshal(data, &c)
	}
	if err != nil {
		return preprocessing{}, err
	}
	if len(c.InputSize) != 3 || c.InputSize[0] != 3 || c.InputSize[1] < 1 || c.InputSize[2] < 1 {
		return preprocessing{}, fmt.Errorf("input_size %d: wanted [3, height, width]", c.InputSize)
	}
	if !(c.CropFraction > 0 && c.CropFraction <= 1) {
		return preprocessing{}, fmt.Errorf("crop_pct %g: wanted more than 0, and 1 at most", c.CropFraction)
	}
	height, width := c.InputSize[1], c.InputSize[2]
	scaled := func(edge int) int { return int(float64(edge) / c.CropFraction) }
	t := imaging.Target{CropWidth: width, CropHeight: height, Kernel: c.Interpolation.Kernel}
	switch {
	case c.CropMode == "squash":
		t.ResizeWidth, t.ResizeHeight = scaled(width), scaled(height)
	case c.CropMode == "center" && height == width:
		t.ShortestEdge = scaled(height)
	case c.CropMode == "center":
		return preprocessing{}, fmt.Errorf("input_size %d with crop_mode center: wanted a square", c.InputSize)
	default:
		return preprocessing{}, fmt.Errorf("crop_mode %q is not supported: wanted center or squash", c.CropMode)
	}
	p := preprocessing{target: t, scale: 1.0 / 255, mean: c.Mean, std: c.Std}
	return p, p.check()
}
