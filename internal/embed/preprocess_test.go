package embed

import (
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/imaging"
)

func TestParsePreprocessor(t *testing.T) {
	square := func(resize, crop int, kernel imaging.Kernel) imaging.Target {
		return imaging.Target{ResizeWidth: resize, ResizeHeight: resize, CropWidth: crop, CropHeight: crop, Kernel: kernel}
	}
	shorter := func(edge, crop int) imaging.Target {
		return imaging.Target{ShortestEdge: edge, CropWidth: crop, CropHeight: crop, Kernel: imaging.KernelCubic}
	}
	for text, want := range map[string]imaging.Target{
		`{}`: shorter(224, 224),
		`{"size": 256, "crop_size": 224, "feature_extractor_type": "CLIPFeatureExtractor"}`:                                 shorter(256, 224),
		`{"size": {"shortest_edge": 336}, "crop_size": {"height": 336, "width": 336}}`:                                      shorter(336, 336),
		`{"image_processor_type": "CLIPImageProcessorFast", "size": {"shortest_edge": 224}}`:                                shorter(224, 224),
		`{"image_processor_type": "BitImageProcessor", "size": {"shortest_edge": 256}}`:                                     shorter(256, 224),
		`{"image_processor_type": "SiglipImageProcessor", "size": {"height": 384, "width": 384}}`:                           square(384, 0, imaging.KernelCubic),
		`{"image_processor_type": "ViTFeatureExtractor", "size": 224}`:                                                      square(224, 0, imaging.KernelLinear),
		`{"image_processor_type": "DeiTImageProcessor", "resample": 0}`:                                                     square(256, 224, imaging.KernelNearest),
		`{"size": {"height": 128, "width": 96}, "do_center_crop": false, "resample": 1, "do_pad": false, "crop_pct": null}`: {ResizeWidth: 96, ResizeHeight: 128, Kernel: imaging.KernelLanczos3},
	} {
		p, err := parsePreprocessor([]byte(text))
		require.NoError(t, err, text)
		require.Equal(t, want, p.target, text)
	}
}

// Files of newer transformers have null for defaults, and other forms of sizes and filters.
func TestParsePreprocessorOfRealExports(t *testing.T) {
	shorter := func(edge, crop int) imaging.Target {
		return imaging.Target{ShortestEdge: edge, CropWidth: crop, CropHeight: crop, Kernel: imaging.KernelCubic}
	}
	whole := func(edge int, kernel imaging.Kernel) imaging.Target {
		return imaging.Target{ResizeWidth: edge, ResizeHeight: edge, Kernel: kernel}
	}
	const siglip, convNext = `"image_processor_type": "SiglipImageProcessorFast"`, `"feature_extractor_type": "ConvNextFeatureExtractor"`
	for text, want := range map[string]imaging.Target{
		`{` + siglip + `, "size": {"height": 64, "width": 64}, "crop_size": null, "do_center_crop": null, "do_pad": null}`: whole(64, imaging.KernelCubic),
		`{` + siglip + `, "size": null, "resample": null, "image_mean": null}`:                                             whole(224, imaging.KernelCubic),
		`{"size": {"shortest_edge": 96, "longest_edge": null}, "crop_size": 64}`:                                           shorter(96, 64),
		`{"size": [96, 128], "crop_size": 64, "resample": "bilinear"}`:                                                     {ResizeWidth: 128, ResizeHeight: 96, CropWidth: 64, CropHeight: 64, Kernel: imaging.KernelLinear},
		`{"resample": "LANCZOS"}`:                                  {ShortestEdge: 224, CropWidth: 224, CropHeight: 224, Kernel: imaging.KernelLanczos3},
		`{"size": 96, "crop_size": 64, "default_to_square": true}`: {ResizeWidth: 96, ResizeHeight: 96, CropWidth: 64, CropHeight: 64, Kernel: imaging.KernelCubic},
		`{"image_processor_type": "DINOv3ViTImageProcessorFast", "crop_size": null, "do_center_crop": null}`: whole(224, imaging.KernelLinear),
		`{` + convNext + `, "size": 224, "crop_pct": 0.875}`:                                                 shorter(256, 224),
		`{` + convNext + `, "size": {"shortest_edge": 224}, "crop_pct": 0.95}`:                               shorter(235, 224),
		`{` + convNext + `}`: whole(384, imaging.KernelCubic),
		`{"image_processor_type": "JinaCLIPImageProcessor", "size": 224, "resize_mode": "shortest", "interpolation": "bicubic"}`: shorter(224, 224),
	} {
		p, err := parsePreprocessor([]byte(text))
		require.NoError(t, err, text)
		require.Equal(t, want, p.target, text)
	}
	p, err := parsePreprocessor([]byte(`{"image_processor_type": "DINOv3ViTImageProcessorFast"}`))
	require.NoError(t, err)
	require.Equal(t, []channels{imageNetMean, imageNetStd}, []channels{p.mean, p.std})
	p, err = parsePreprocessor([]byte(`{"image_processor_type": "JinaCLIPImageProcessor", "mean": [0.1, 0.2, 0.3], "std": 0.5}`))
	require.NoError(t, err)
	require.Equal(t, []channels{{0.1, 0.2, 0.3}, half3}, []channels{p.mean, p.std})
}

func TestParseTimm(t *testing.T) {
	p, err := parseTimm([]byte(`{"input_size": [3, 256, 256], "crop_pct": 0.9, "interpolation": "bilinear", "mean": [0, 0, 0], "std": null}`))
	require.NoError(t, err)
	require.Equal(t, imaging.Target{ShortestEdge: 284, CropWidth: 256, CropHeight: 256, Kernel: imaging.KernelLinear}, p.target)
	require.Equal(t, []channels{{}, imageNetStd}, []channels{p.mean, p.std})
	p, err = parseTimm([]byte(`{"input_size": [3, 128, 96], "crop_pct": 1, "crop_mode": "squash"}`))
	require.NoError(t, err)
	require.Equal(t, imaging.Target{ResizeWidth: 96, ResizeHeight: 128, CropWidth: 96, CropHeight: 128, Kernel: imaging.KernelCubic}, p.target)
	for text, want := range map[string]string{
		`{"input_size": [1, 28, 28]}`: "wanted [3, height, width]",
		`{"input_size": [3, 28, 32]}`: "wanted a square",
		`{"crop_pct": 0}`:             "crop_pct 0: wanted more than 0",
		`{"crop_pct": 1e-300}`:        "wanted 0 to 4096",
		`{"crop_mode": "border"}`:     `crop_mode "border" is not supported: wanted center or squash`,
		`{"interpolation": "random"}`: `resample "random" is not supported`,
	} {
		_, err := parseTimm([]byte(text))
		require.ErrorContains(t, err, want, text)
	}
}

func TestPreprocessorArithmetic(t *testing.T) {
	p, err := parsePreprocessor([]byte(`{"image_mean": [0.5, 0.25, 0], "image_std": [0.5, 0.25, 2]}`))
	require.NoError(t, err)
	lut := newTables(p)
	require.Equal(t, []float32{-1, 1}, []float32{lut.float[0][0], lut.float[0][255]})
	require.Equal(t, []float32{-1, 3}, []float32{lut.float[1][0], lut.float[1][255]})
	require.Equal(t, []float32{0, 0.5}, []float32{lut.float[2][0], lut.float[2][255]})
	require.Equal(t, uint16(0x3800), lut.half[2][255]) // 0.5

	p, err = parsePreprocessor([]byte(`{"do_rescale": false, "do_normalize": false}`))
	require.NoError(t, err)
	require.Equal(t, float32(200), newTables(p).float[1][200])
	require.Equal(t, clipMean, channels{0.48145466, 0.4578275, 0.40821073}, "a file's mean must not change the default")

	planes := make([]float32, 6)
	fill(planes, []byte{1, 2, 3, 4, 5, 6}, &newTables(p).float)
	require.Equal(t, []float32{1, 4, 2, 5, 3, 6}, planes)
}

func TestPreprocessingThatIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		`[]`:              "cannot unmarshal array",
		`{"size": "big"}`: `size "big": wanted a number`,
		`{"size": 0}`:     "size 0: wanted 1 pixel or more",
		`{"size": {"shortest_edge": 224, "longest_edge": 1024}}`: `wanted a number, {"shortest_edge": n} or {"height": n, "width": n}`,
		`{"size": {"height": 224}}`:                              "wanted a number",
		`{"size": 224, "crop_size": 256}`:                        "crop",
		`{"size": 100000, "crop_size": 256}`:                     "100000",
		`{"do_center_crop": false}`:                              `size {"shortest_edge": 224} without do_center_crop gives pictures different sizes`,
		`{"resample": 4}`:                                        "resample 4 is not supported",
		`{"do_resize": false}`:                                   "do_resize false is not supported",
		`{"do_pad": true}`:                                       "do_pad is not supported",
		`{"do_flip_channel_order": true}`:                        "do_flip_channel_order is not supported",
		`{"crop_pct": 0.875}`:                                    "crop_pct is not supported",
		`{"image_mean": [0.5]}`:                                  "wanted three numbers (red, green, blue)",
		`{"image_std": [0.5, 0, 0.5]}`:                           "image_std [0.5 0 0.5]: wanted more than 0",
		`{"resample": "box"}`:                                    `resample "box" is not supported`,

		`{"image_processor_type": "ConvNextImageProcessor", "crop_pct": 2}`:                         "crop_pct 2: wanted more than 0, and 1 at most",
		`{"image_processor_type": "ConvNextImageProcessor", "size": {"height": 224, "width": 224}}`: `size of ConvNext: wanted {"shortest_edge": n}`,
		`{"rescale_factor": -1}`:                          "rescale_factor -1",
		`{"image_processor_type": "DonutImageProcessor"}`: `image processor "DonutImageProcessor" is not supported: wanted one of BitImageProcessor, CLIPImageProcessor`,
	} {
		_, err := parsePreprocessor([]byte(text))
		require.ErrorContains(t, err, want, text)
	}
}

func TestParseOpenCLIP(t *testing.T) {
	p, err := parseOpenCLIP([]byte(`{"size": 224, "resize_mode": "squash", "mean": [0,0,0], "std": [1,1,1]}`))
	require.NoError(t, err)
	require.Equal(t, imaging.Target{ResizeWidth: 224, ResizeHeight: 224, Kernel: imaging.KernelCubic}, p.target)
	for text, want := range map[string]string{
		`{"size": [1]}`:                   "wanted a number or [height, width]",
		`{"size": [224, 336]}`:            "wanted a square",
		`{"resize_mode": "longest"}`:      `resize_mode "longest" is not supported`,
		`{"interpolation": "random"}`:     `interpolation "random" is not supported`,
		`{"mode": "L"}`:                   `mode "L" is not supported`,
		`{"mean": [0.5], "std": [1,1,1]}`: "wanted three numbers (red, green, blue)",
	} {
		_, err := parseOpenCLIP([]byte(text))
		require.ErrorContains(t, err, want, text)
	}
}
