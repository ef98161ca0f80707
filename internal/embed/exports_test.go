package embed

import (
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"moderator/internal/imaging"
	"moderator/internal/testenv"
)

// jsonFiles is folderOf with other JSON files.
func jsonFiles(graph []byte, files map[string]string) fstest.MapFS {
	folder := fstest.MapFS{"onnx/model.onnx": {Data: graph}}
	for name, text := range files {
		folder[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return folder
}

// Each kind of export is loaded with its own preprocessing file, and embeds a picture.
func TestPreprocessingOfEveryExport(t *testing.T) {
	square := imaging.Target{ResizeWidth: 2, ResizeHeight: 2, Kernel: imaging.KernelCubic}
	middle := imaging.Target{ShortestEdge: 2, CropWidth: 2, CropHeight: 2, Kernel: imaging.KernelCubic}
	for name, c := range map[string]struct {
		files map[string]string
		want  imaging.Target
	}{
		"processor_config.json": {map[string]string{"processor_config.json": `{"processor_class": "CLIPProcessor", "image_processor": ` + tinyPreprocessing + `}`}, square},
		"open_clip_config.json": {map[string]string{"open_clip_config.json": `{"model_cfg": {"vision_cfg": {"image_size": 2}},
			"preprocess_cfg": {"mean": [0, 0, 0], "std": [1, 1, 1], "size": null}}`}, middle},
		"timm": {map[string]string{"config.json": `{"architecture": "x", "pretrained_cfg": {"input_size": [3, 2, 2], "crop_pct": 1.0,
			"mean": [0, 0, 0], "std": [1, 1, 1]}}`}, middle},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := LoadFS(jsonFiles(colours{}.graph(), c.files))
			require.NoError(t, err)
			require.Equal(t, c.want, f.Target())
			vectors, err := openModel(t, f, Options{}).Embed(t.Context(), [][]byte{paint(0, 0, 7)})
			require.NoError(t, err)
			require.Equal(t, [][]float32{{0, 0, 1}}, vectors)
		})
	}
	_, err := LoadFS(jsonFiles(colours{}.graph(), map[string]string{"processor_config.json": `{"processor_class": "CLIPProcessor"}`}))
	require.ErrorContains(t, err, "preprocessor_config.json is missing: fetch it from where onnx/model.onnx came from")
}

func TestClassifiersAreRefused(t *testing.T) {
	timm := func(classes string) map[string]string {
		return map[string]string{"config.json": `{` + classes + `"pretrained_cfg": {"input_size": [3, 2, 2], "crop_pct": 1}}`}
	}
	graph := colours{output: "logits"}.graph()
	for _, classes := range []string{``, `"num_classes": 1000, `} {
		_, err := LoadFS(jsonFiles(graph, timm(classes)))
		require.ErrorContains(t, err, "logits float32[?,3], is a classifier's scores: wanted an export without the classifier")
	}
	_, err := LoadFS(jsonFiles(graph, timm(`"num_classes": 0, `)))
	require.NoError(t, err)
}

func TestEmbedFindsTheWidthOfFloat16(t *testing.T) {
	files := folderOf(colours{inElem: typeFloat16, outElem: typeFloat16, freeWidth: true}.graph())
	for _, config := range []string{`{}`, `{"projection_dim": 3}`} {
		files["config.json"] = &fstest.MapFile{Data: []byte(config)}
		f, err := LoadFS(files)
		require.NoError(t, err)
		m := openModel(t, f, Options{})
		require.Equal(t, 3, m.Folder().Dims())
		vectors, err := m.Embed(t.Context(), [][]byte{paint(0, 8, 0)})
		require.NoError(t, err)
		require.Equal(t, [][]float32{{0, 1, 0}}, vectors)
	}
	files["config.json"] = &fstest.MapFile{Data: []byte(`{"projection_dim": 16}`)}
	f, err := LoadFS(files)
	require.NoError(t, err)
	_, err = Open(t.Context(), f, Options{Library: testenv.ONNXRuntime(t), Provider: "cpu"})
	require.ErrorContains(t, err, "is 3 wide, but the folder's files say 16")
}

func TestEmbedReadsExternalWeightsOfConstants(t *testing.T) {
	dir := t.TempDir()
	files := folderOf(colours{external: "weights.bin", constant: true}.graph())
	require.NoError(t, os.CopyFS(dir, files))
	_, err := LoadDir(dir)
	require.ErrorContains(t, err, "fetch weights.bin too")

	weights := filepath.Join(dir, "onnx", "weights.bin")
	require.NoError(t, os.WriteFile(weights, floatBytes(colourWeights()), 0o600))
	f, err := LoadDir(dir)
	require.NoError(t, err)
	vectors, err := openModel(t, f, Options{}).Embed(t.Context(), [][]byte{paint(0, 8, 0)})
	require.NoError(t, err)
	require.Equal(t, [][]float32{{0, 1, 0}}, vectors)

	require.NoError(t, os.WriteFile(weights, make([]byte, 12*3*4), 0o600))
	other, err := LoadDir(dir)
	require.NoError(t, err)
	require.NotEqual(t, f.Fingerprint(), other.Fingerprint())
}

// A model folder may be hostile: its sizes and files are checked before they are used.
func TestHostileGraphsAreRefused(t *testing.T) {
	picture := port{"pixel_values", typeFloat32, []int{-1, 3, 2, 2}}
	out := func(elem int, dims ...int) []port { return []port{{"image_embeds", elem, dims}} }
	for want, graph := range map[string][]byte{
		"is 1000000 wide, wanted at most 3999":                       portsOnly([]port{picture}, out(typeFloat16, -1, 1_000_000)),
		"has shape [1073741824] for each picture":                    portsOnly([]port{picture}, out(typeFloat16, -1, 1<<30)),
		"batches of 1000000 pictures: export it with a free batch":   portsOnly([]port{{"pixel_values", typeFloat32, []int{1_000_000, 3, 2, 2}}}, out(typeFloat32, -1, 3)),
		`keeps its weights in "../../secret", outside of its folder`: colours{external: "../../secret"}.graph(),
		`keeps its weights in "/etc/passwd", outside of its folder`:  colours{external: "/etc/passwd", constant: true}.graph(),
	} {
		dir := t.TempDir()
		require.NoError(t, os.CopyFS(dir, folderOf(graph)))
		_, err := LoadDir(dir)
		require.ErrorContains(t, err, want)
	}
	for _, dim := range []string{"-16", "99999999"} {
		files := folderOf(colours{outElem: typeFloat16, freeWidth: true}.graph())
		files["config.json"] = &fstest.MapFile{Data: []byte(`{"projection_dim": ` + dim + `}`)}
		_, err := LoadFS(files)
		require.ErrorContains(t, err, "projection_dim "+dim+": wanted 1 to 3999")
	}
	node := message{}
	for range 40 {
		attribute := message{}.Text(1, "then_branch").Bytes(6, message{}.Bytes(1, node)).Number(20, 5)
		node = message{}.Text(4, "If").Bytes(5, attribute)
	}
	_, err := parseGraph(modelProto(message{}.Bytes(1, node).Bytes(12, port{"x", 1, []int{1}}.message())))
	require.ErrorContains(t, err, "nested more than 16 deep")
}

func FuzzLoad(f *testing.F) {
	graph := colours{}.graph()
	background := npy("<f4", 5, 3, floatBytes([]float32{1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0}))
	f.Add(graph, []byte(tinyPreprocessing), []byte(`{"model_type": "dinov3_vit", "projection_dim": 3}`), background, 0)
	f.Add(graph, []byte(`{"preprocess_cfg": {"size": [2, 2], "std": null}}`), []byte(`{}`), []byte{}, 3)
	f.Add(graph, []byte(`{"image_processor_type": "ConvNextImageProcessor", "size": 2, "crop_pct": 0.5}`), []byte(`{"num_classes": 0}`), []byte{}, 0)
	f.Add(graph, []byte(`{"pretrained_cfg": {"input_size": [3, 2, 2], "crop_mode": "squash"}}`), []byte(`{}`), []byte{}, 4)
	f.Fuzz(func(_ *testing.T, graph, preprocessing, config, background []byte, file int) {
		files := fstest.MapFS{"onnx/model.onnx": {Data: graph}, "config.json": {Data: config}}
		if len(background) > 0 {
			files["background.npy"] = &fstest.MapFile{Data: background}
		}
		files[preprocessings[uint(file)%uint(len(preprocessings))].name] = &fstest.MapFile{Data: preprocessing}
		_, _ = LoadFS(files) // must neither panic nor allocate as much as a number in a file says
	})
}
