package embed

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"moderator/internal/imaging"
)

// processorConfig holds the fields of Hugging Face's preprocessor_config.json that affect the graph's input.
type processorConfig struct {
	DoResize      bool     `json:"do_resize"`
	Size          size     `json:"size"`
	Square        bool     `json:"default_to_square"` // whether a size without a name is a square's or the shorter side's
	Resample      filter   `json:"resample"`
	DoCenterCrop  bool     `json:"do_center_crop"`
	CropSize      size     `json:"crop_size"`
	DoRescale     bool     `json:"do_rescale"`
	RescaleFactor float64  `json:"rescale_factor"`
	DoNormalize   bool     `json:"do_normalize"`
	Mean          channels `json:"image_mean"`
	Std           channels `json:"image_std"`
	CropFraction  float64  `json:"crop_pct"` // of ConvNext; 0: absent

	// Steps that are not supported. A folder with one of them is refused.
	DoPad             bool `json:"do_pad"`
	DoFlipChannels    bool `json:"do_flip_channel_order"`
	DoThumbnail       bool `json:"do_thumbnail"`
	DoAlignLongAxis   bool `json:"do_align_long_axis"`
	KeepAspectRatio   bool `json:"keep_aspect_ratio"`
	DoReduceLabels    bool `json:"do_reduce_labels"`
	DoConvertGrey     bool `json:"do_grayscale"`
	DoColorQuantize   bool `json:"do_color_quantize"`
	DoSplitImage      bool `json:"do_image_splitting"`
	EnsureMultipleOf  int  `json:"ensure_multiple_of"`
	DoDynamicResizing bool `json:"do_dynamic_resize"`
}

// processors are the supported image processors: resize, centre crop, rescale, normalise, in that order. The values are the
// defaults of their classes in transformers.
var processors = map[string]processorConfig{
	"CLIPImageProcessor":      defaults(size{ShortestEdge: 224}, imaging.KernelCubic, true, clipMean, clipStd),
	"BitImageProcessor":       defaults(size{ShortestEdge: 224}, imaging.KernelCubic, true, clipMean, clipStd),
	"DeiTImageProcessor":      defaults(size{Height: 256, Width: 256}, imaging.KernelCubic, true, half3, half3),
	"ViTImageProcessor":       defaults(size{Height: 224, Width: 224}, imaging.KernelLinear, false, half3, half3),
	"SiglipImageProcessor":    defaults(size{Height: 224, Width: 224}, imaging.KernelCubic, false, half3, half3),
	"DINOv3ViTImageProcessor": defaults(size{Height: 224, Width: 224}, imaging.KernelLinear, false, imageNetMean, imageNetStd),
	convNext:                  convNextDefaults(),
}

const (
	convNext = "ConvNextImageProcessor"
	jinaCLIP = "JinaCLIPImageProcessor" // with OpenCLIP's steps and keys
)

var (
	clipMean     = channels{0.48145466, 0.4578275, 0.40821073}
	clipStd      = channels{0.26862954, 0.26130258, 0.27577711}
	imageNetMean = channels{0.485, 0.456, 0.406}
	imageNetStd  = channels{0.229, 0.224, 0.225}
	half3        = channels{0.5, 0.5, 0.5}
)

func defaults(s size, kernel imaging.Kernel, crop bool, mean, std channels) processorConfig {
	return processorConfig{
		DoResize: true, Size: s, Square: s.ShortestEdge == 0, Resample: filter{kernel},
		DoCenterCrop: crop, CropSize: size{Height: 224, Width: 224},
		DoRescale: true, RescaleFactor: 1.0 / 255, DoNormalize: true, Mean: mean, Std: std,
	}
}

func convNextDefaults() processorConfig {
	c := defaults(size{ShortestEdge: 384}, imaging.KernelCubic, false, half3, half3)
	c.CropFraction = 224.0 / 256
	return c
}

// parsePreprocessor parses a preprocessor_config.json. Unsupported steps and processors are errors: with other pixels than
// it was trained on, a model would silently become worse.
func parsePreprocessor(data []byte) (preprocessing, error) {
	data, err := withoutNulls(data)
	if err != nil {
		return preprocessing{}, err
	}
	var given struct {
		Type     string `json:"image_processor_type"`
		OldType  string `json:"feature_extractor_type"`
		Size     *size  `json:"size"`
		CropSize *size  `json:"crop_size"`
	}
	if err := json.Unmarshal(data, &given); err != nil {
		return preprocessing{}, err
	}
	name := strings.TrimSuffix(cmp.Or(given.Type, given.OldType, "CLIPImageProcessor"), "Fast")
	if base, ok := strings.CutSuffix(name, "FeatureExtractor"); ok {
		name = base + "ImageProcessor"
	}
	if name == jinaCLIP {
		return parseOpenCLIP(data)
	}
	c, ok := processors[name]
	if !ok {
		return preprocessing{}, fmt.Errorf("image processor %q is not supported: wanted one of %s", name,
			strings.Join(append(sortedKeys(processors), jinaCLIP), ", "))
	}
	if given.Size != nil {
		c.Size = size{} // so that the file's size replaces the default instead of merging with it
	}
	if given.CropSize != nil {
		c.CropSize = size{}
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return preprocessing{}, err
	}
	if err := c.refuse(name); err != nil {
		return preprocessing{}, err
	}
	p := preprocessing{scale: 1, std: [3]float64{1, 1, 1}}
	if c.DoRescale {
		p.scale = c.RescaleFactor
	}
	if c.DoNormalize {
		p.mean, p.std = c.Mean, c.Std
	}
	if p.target, err = c.geometry(); err != nil {
		return preprocessing{}, err
	}
	return p, p.check()
}

// refuse returns an error for the first unsupported step.
func (c processorConfig) refuse(name string) error {
	steps := []struct {
		key   string
		asked bool
	}{
		{"do_resize false", !c.DoResize},
		{"do_pad", c.DoPad},
		{"do_flip_channel_order", c.DoFlipChannels},
		{"do_thumbnail", c.DoThumbnail},
		{"do_align_long_axis", c.DoAlignLongAxis},
		{"keep_aspect_ratio", c.KeepAspectRatio},
		{"crop_pct", name != convNext && c.CropFraction != 0},
		{"do_center_crop", name == convNext && c.DoCenterCrop},
		{"do_reduce_labels", c.DoReduceLabels},
		{"do_grayscale", c.DoConvertGrey},
		{"do_color_quantize", c.DoColorQuantize},
		{"do_image_splitting", c.DoSplitImage},
		{"ensure_multiple_of", c.EnsureMultipleOf > 1},
		{"do_dynamic_resize", c.DoDynamicResizing},
	}
	for _, s := range steps {
		if s.asked {
			return fmt.Errorf("%s is not supported: wanted resize, centre crop, rescale and normalise only", s.key)
		}
	}
	return nil
}

// geometry is c's Target.
func (c processorConfig) geometry() (imaging.Target, error) {
	s := c.Size
	switch {
	case s.edge > 0 && c.Square:
		s.Height, s.Width = s.edge, s.edge
	case s.edge > 0:
		s.ShortestEdge = s.edge
	}
	if c.CropFraction != 0 {
		return convNextGeometry(s.ShortestEdge, c.CropFraction, c.Resample.Kernel)
	}
	t := imaging.Target{ShortestEdge: s.ShortestEdge, ResizeWidth: s.Width, ResizeHeight: s.Height, Kernel: c.Resample.Kernel}
	if c.DoCenterCrop {
		t.CropWidth, t.CropHeight = max(c.CropSize.edge, c.CropSize.Width, c.CropSize.ShortestEdge),
			max(c.CropSize.edge, c.CropSize.Height, c.CropSize.ShortestEdge)
	} else if t.ShortestEdge > 0 {
		return t, fmt.Errorf(`size {"shortest_edge": %d} without do_center_crop gives pictures different sizes: wanted do_center_crop true, or {"height": n, "width": n}`, t.ShortestEdge)
	}
	return t, nil
}

// convNextGeometry is the geometry of ConvNext. Below 384 pixels, the shorter side becomes edge/fraction, and the centre is
// cropped. From 384 on, the picture is resized to the square without keeping its aspect.
func convNextGeometry(edge int, fraction float64, kernel imaging.Kernel) (imaging.Target, error) {
	switch {
	case edge == 0:
		return imaging.Target{}, errors.New(`size of ConvNext: wanted {"shortest_edge": n}`)
	case !(fraction > 0 && fraction <= 1):
		return imaging.Target{}, fmt.Errorf("crop_pct %g: wanted more than 0, and 1 at most", fraction)
	case edge >= 384:
		return imaging.Target{ResizeWidth: edge, ResizeHeight: edge, Kernel: kernel}, nil
	}
	return imaging.Target{ShortestEdge: int(float64(edge) / fraction), CropWidth: edge, CropHeight: edge, Kernel: kernel}, nil
}
