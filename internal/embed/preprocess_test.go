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
	require.Equal(t, clipMean, []float64{0.48145466, 0.4578275, 0.40821073}, "a file's mean must not change the default")

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
		`{"do_center_crop": false}`:                              "ShortestEdge without a crop",
		`{"resample": 4}`:                                        "resample 4 is not supported",
		`{"do_resize": false}`:                                   "do_resize false is not supported",
		`{"do_pad": true}`:                                       "do_pad is not supported",
		`{"do_flip_channel_order": true}`:                        "do_flip_channel_order is not supported",
		`{"crop_pct": 0.875}`:                                    "crop_pct is not supported",
		`{"image_mean": [0.5]}`:                                  "wanted three numbers each",
		`{"image_std": [0.5, 0, 0.5]}`:                           "image_std [0.5 0 0.5]: wanted more than 0",
		`{"rescale_factor": -1}`:                                 "rescale_factor -1",
		`{"image_processor_type": "DonutImageProcessor"}`:        `image processor "DonutImageProcessor" is not supported: wanted one of BitImageProcessor, CLIPImageProcessor`,
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
		`{"mean": [0.5], "std": [1,1,1]}`: "wanted three numbers each",
	} {
		_, err := parseOpenCLIP([]byte(text))
		require.ErrorContains(t, err, want, text)
	}
}
