package embed

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"moderator/internal/imaging"
)

// preprocessing is what happens between a decoded picture and the graph: the geometry, which imaging applies, and the
// arithmetic, (value·scale − mean[c]) / std[c] for each 8-bit value.
type preprocessing struct {
	target    imaging.Target
	scale     float64
	mean, std [3]float64
}

// canonical is the text of p that the fingerprint covers: equal exactly when the pixels that reach the graph are.
func (p preprocessing) canonical() string {
	t := p.target
	return fmt.Sprintf("rgb shortest_edge=%d resize=%dx%d crop=%dx%d kernel=%s scale=%g mean=%g,%g,%g std=%g,%g,%g",
		t.ShortestEdge, t.ResizeWidth, t.ResizeHeight, t.CropWidth, t.CropHeight, t.Kernel,
		p.scale, p.mean[0], p.mean[1], p.mean[2], p.std[0], p.std[1], p.std[2])
}

// size is a JSON size: 224, {"shortest_edge": 224} or {"height": 224, "width": 224}.
type size struct {
	edge          int // a bare number
	ShortestEdge  int `json:"shortest_edge"`
	Height, Width int
}

func (s *size) UnmarshalJSON(data []byte) error {
	if json.Unmarshal(data, &s.edge) == nil {
		return positive(s.edge)
	}
	type plain size
	if err := strictJSON(data, (*plain)(s)); err != nil || (s.ShortestEdge == 0) == (s.Height == 0 || s.Width == 0) {
		return fmt.Errorf(`size %s: wanted a number, {"shortest_edge": n} or {"height": n, "width": n}`, data)
	}
	return positive(max(s.ShortestEdge, s.Height), max(s.ShortestEdge, s.Width))
}

func positive(sizes ...int) error {
	for _, n := range sizes {
		if n < 1 {
			return fmt.Errorf("size %d: wanted 1 pixel or more", n)
		}
	}
	return nil
}

// processorConfig is Hugging Face's preprocessor_config.json, as far as it decides what a picture looks like to the graph.
type processorConfig struct {
	Type          string    `json:"image_processor_type"`
	OldType       string    `json:"feature_extractor_type"`
	DoResize      bool      `json:"do_resize"`
	Size          size      `json:"size"`
	Resample      int       `json:"resample"`
	DoCenterCrop  bool      `json:"do_center_crop"`
	CropSize      size      `json:"crop_size"`
	DoRescale     bool      `json:"do_rescale"`
	RescaleFactor float64   `json:"rescale_factor"`
	DoNormalize   bool      `json:"do_normalize"`
	Mean          []float64 `json:"image_mean"`
	Std           []float64 `json:"image_std"`

	// Steps that are not done here: a folder that asks for one of them is refused.
	DoPad             bool     `json:"do_pad"`
	DoFlipChannels    bool     `json:"do_flip_channel_order"`
	DoThumbnail       bool     `json:"do_thumbnail"`
	DoAlignLongAxis   bool     `json:"do_align_long_axis"`
	KeepAspectRatio   bool     `json:"keep_aspect_ratio"`
	CropFraction      *float64 `json:"crop_pct"`
	DoReduceLabels    bool     `json:"do_reduce_labels"`
	DoConvertGrey     bool     `json:"do_grayscale"`
	DoColorQuantize   bool     `json:"do_color_quantize"`
	DoSplitImage      bool     `json:"do_image_splitting"`
	EnsureMultipleOf  int      `json:"ensure_multiple_of"`
	DoDynamicResizing bool     `json:"do_dynamic_resize"`
}

// processors are the image processors whose steps are resize, centre crop, rescale, normalise in that order, each with what
// it does when a key is absent (the defaults of its class in transformers).
var processors = map[string]processorConfig{
	"CLIPImageProcessor":   defaults(size{ShortestEdge: 224}, 3, true, clipMean, clipStd),
	"BitImageProcessor":    defaults(size{ShortestEdge: 224}, 3, true, clipMean, clipStd),
	"DeiTImageProcessor":   defaults(size{Height: 256, Width: 256}, 3, true, half3, half3),
	"ViTImageProcessor":    defaults(size{Height: 224, Width: 224}, 2, false, half3, half3),
	"SiglipImageProcessor": defaults(size{Height: 224, Width: 224}, 3, false, half3, half3),
}

var (
	clipMean = []float64{0.48145466, 0.4578275, 0.40821073}
	clipStd  = []float64{0.26862954, 0.26130258, 0.27577711}
	half3    = []float64{0.5, 0.5, 0.5}
)

func defaults(s size, resample int, crop bool, mean, std []float64) processorConfig {
	return processorConfig{
		DoResize: true, Size: s, Resample: resample,
		DoCenterCrop: crop, CropSize: size{Height: 224, Width: 224},
		DoRescale: true, RescaleFactor: 1.0 / 255, DoNormalize: true, Mean: mean, Std: std,
	}
}

// parsePreprocessor reads a preprocessor_config.json. Steps and processors that cannot be done are errors, since a model
// that sees other pixels than it was trained on still answers, only worse.
func parsePreprocessor(data []byte) (preprocessing, error) {
	var named processorConfig
	if err := json.Unmarshal(data, &named); err != nil {
		return preprocessing{}, err
	}
	name := named.Type
	if name == "" {
		name = named.OldType
	}
	if name == "" {
		name = "CLIPImageProcessor"
	}
	name = strings.TrimSuffix(name, "Fast")
	if base, ok := strings.CutSuffix(name, "FeatureExtractor"); ok {
		name = base + "ImageProcessor"
	}
	c, ok := processors[name]
	if !ok {
		return preprocessing{}, fmt.Errorf("image processor %q is not supported: wanted one of %s", name, strings.Join(sortedKeys(processors), ", "))
	}
	if named.Size != (size{}) {
		c.Size = size{} // else the file's shape would be laid over the default's
	}
	if named.CropSize != (size{}) {
		c.CropSize = size{}
	}
	c.Mean, c.Std = slices.Clone(c.Mean), slices.Clone(c.Std) // Unmarshal writes into the arrays
	if err := json.Unmarshal(data, &c); err != nil {
		return preprocessing{}, err
	}
	if err := c.refuse(); err != nil {
		return preprocessing{}, err
	}
	p := preprocessing{scale: 1, std: [3]float64{1, 1, 1}}
	if c.DoRescale {
		p.scale = c.RescaleFactor
	}
	if c.DoNormalize {
		p.mean, p.std = [3]float64(c.Mean), [3]float64(c.Std)
	}
	bareIsSquare := name != "CLIPImageProcessor" && name != "BitImageProcessor"
	p.target, ok = c.geometry(bareIsSquare)
	if !ok {
		return preprocessing{}, fmt.Errorf("resample %d is not supported: wanted 0 (nearest), 1 (lanczos), 2 (bilinear) or 3 (bicubic)", c.Resample)
	}
	return p, p.check()
}

// refuse names the first step that c asks for and that is not done here.
func (c processorConfig) refuse() error {
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
		{"crop_pct", c.CropFraction != nil},
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
	if len(c.Mean) != 3 || len(c.Std) != 3 {
		return errors.New("image_mean and image_std: wanted three numbers each (red, green, blue)")
	}
	return nil
}

// geometry is c's Target; false when its resampling filter is none of ours. bareIsSquare says what a size without a name
// means: a square, or the shorter side.
func (c processorConfig) geometry(bareIsSquare bool) (imaging.Target, bool) {
	// PIL.Image.Resampling
	kernel, ok := map[int]imaging.Kernel{
		0: imaging.KernelNearest, 1: imaging.KernelLanczos3, 2: imaging.KernelLinear, 3: imaging.KernelCubic,
	}[c.Resample]
	s := c.Size
	if s.edge > 0 {
		if bareIsSquare {
			s.Height, s.Width = s.edge, s.edge
		} else {
			s.ShortestEdge = s.edge
		}
	}
	t := imaging.Target{ShortestEdge: s.ShortestEdge, ResizeWidth: s.Width, ResizeHeight: s.Height, Kernel: kernel}
	if c.DoCenterCrop {
		t.CropWidth, t.CropHeight = max(c.CropSize.edge, c.CropSize.Width, c.CropSize.ShortestEdge),
			max(c.CropSize.edge, c.CropSize.Height, c.CropSize.ShortestEdge)
	}
	return t, ok
}

// check refuses numbers that make no picture or no finite input.
func (p preprocessing) check() error {
	if err := p.target.Validate(); err != nil {
		return err
	}
	if !(p.scale > 0) {
		return fmt.Errorf("rescale_factor %g: wanted more than 0 (usually 1/255)", p.scale)
	}
	for c := range 3 {
		if !(p.std[c] > 0) {
			return fmt.Errorf("image_std %g: wanted more than 0", p.std)
		}
	}
	return nil
}
