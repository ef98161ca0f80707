package embed

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"moderator/internal/imaging"
	"moderator/internal/testenv"
)

func TestLoadDirReadsTheGoldenFolders(t *testing.T) {
	for name, dims := range map[string]int{"tiny-vit": 512, "tiny-rn": 1024} {
		f, err := LoadDir(filepath.Join(testenv.Data(t), "golden", "model", name))
		require.NoError(t, err)
		require.Equal(t, name, f.Name())
		require.Equal(t, dims, f.Dims())
		require.Equal(t, imaging.Target{ShortestEdge: 224, CropWidth: 224, CropHeight: 224, Kernel: imaging.KernelCubic}, f.Target())
		require.Len(t, f.Fingerprint(), 64)
		require.Nil(t, f.Background())
		require.Zero(t, f.BackgroundPenalty(make([]float32, dims)))
		_, _, ok := f.Thresholds()
		require.False(t, ok)
	}
}

func TestLoadFindsTheGraphInEveryLayout(t *testing.T) {
	graph := colours{}.graph()
	for _, place := range []string{
		"onnx/vision_model_fp16.onnx", "onnx/model_quantized.onnx", "vision_model.onnx", "model.onnx",
		"onnx/vision_model_q4f16.onnx", "onnx/vision_model_int8.onnx", "onnx/model_uint8.onnx", "model_q4.onnx", "model_bnb4.onnx",
	} {
		files := folderOf(nil)
		delete(files, "onnx/vision_model.onnx")
		files[place] = &fstest.MapFile{Data: graph}
		f, err := LoadFS(files)
		require.NoError(t, err, place)
		require.Equal(t, "test/colours", f.Name())
	}
	immich := fstest.MapFS{
		"visual/model.onnx":          {Data: colours{batch: 1, output: "embedding"}.graph()},
		"visual/preprocess_cfg.json": {Data: []byte(`{"size": [2, 2], "mode": "RGB", "interpolation": "bilinear", "resize_mode": "shortest"}`)},
		"textual/model.onnx":         {Data: graph},
	}
	f, err := LoadFS(immich)
	require.NoError(t, err)
	require.Equal(t, imaging.Target{ShortestEdge: 2, CropWidth: 2, CropHeight: 2, Kernel: imaging.KernelLinear}, f.Target())
	require.Equal(t, "model", f.Name())

	both := folderOf(graph)
	both["onnx/vision_model_fp16.onnx"] = &fstest.MapFile{Data: []byte("not looked at")}
	_, err = LoadFS(both)
	require.NoError(t, err)
}

func TestFingerprintCoversGraphPreprocessingAndBackground(t *testing.T) {
	load := func(change func(fstest.MapFS)) string {
		files := folderOf(colours{}.graph())
		change(files)
		f, err := LoadFS(files)
		require.NoError(t, err)
		return f.Fingerprint()
	}
	set := func(name, text string) func(fstest.MapFS) {
		return func(files fstest.MapFS) { files[name] = &fstest.MapFile{Data: []byte(text)} }
	}
	plain := load(func(fstest.MapFS) {})
	require.Equal(t, plain, load(set("config.json", `{"_name_or_path": "another name"}`)))
	require.Equal(t, plain, load(set("moderation.json", `{"score": "cosine", "block_at": 0.9}`)))
	require.Equal(t, plain, load(set("preprocessor_config.json", `{"do_normalize":false,"do_center_crop":false,"resample":3,"size":{"width":2,"height":2}}`)))
	seen := map[string]bool{plain: true}
	for _, change := range []func(fstest.MapFS){
		set("preprocessor_config.json", `{"do_normalize":true,"do_center_crop":false,"size":{"width":2,"height":2}}`),
		set("preprocessor_config.json", `{"do_normalize":false,"do_center_crop":false,"resample":2,"size":{"width":2,"height":2}}`),
		set("preprocessor_config.json", `{"do_normalize":false,"size":2,"crop_size":2}`),
		set("onnx/vision_model.onnx", string(colours{output: "embedding"}.graph())),
		set("background.npy", string(npy("<f4", 5, 3, floatBytes([]float32{1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0})))),
	} {
		f := load(change)
		require.False(t, seen[f])
		seen[f] = true
	}
}

func TestThresholds(t *testing.T) {
	background := npy("<f4", 5, 3, floatBytes([]float32{1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0}))
	for _, c := range []struct {
		text          string
		background    []byte
		block, review float64
		err           string
	}{
		{text: `{"score":"cosine","block_at":0.9,"review_at":0.8,"measured":"somehow"}`, block: 0.9, review: 0.8},
		{text: `{"score":"normalised","block_at":0.5}`, background: background, block: 0.5, review: 0.5},
		{text: `{"score":"normalised","block_at":0.5}`, err: "score normalised needs a background.npy"},
		{text: `{"score":"cosine","block_at":0.5}`, background: background, err: "score cosine beside a background.npy"},
		{text: `{"score":"dot","block_at":0.5}`, err: `score "dot": wanted normalised or cosine`},
		{text: `{"score":"cosine"}`, err: "block_at is missing"},
		{text: `{"score":"cosine","block_at":0.5,"review_at":0.6}`, err: "wanted -2 ≤ review_at ≤ block_at ≤ 1"},
		{text: `{"score":`, err: "moderation.json: unexpected end of JSON input"},
	} {
		files := folderOf(colours{}.graph())
		files["moderation.json"] = &fstest.MapFile{Data: []byte(c.text)}
		if c.background != nil {
			files["background.npy"] = &fstest.MapFile{Data: c.background}
		}
		f, err := LoadFS(files)
		if c.err != "" {
			require.ErrorContains(t, err, c.err)
			continue
		}
		require.NoError(t, err)
		block, review, ok := f.Thresholds()
		require.Equal(t, []any{c.block, c.review, true}, []any{block, review, ok})
	}
}

func TestLoadRefusesWrongFolders(t *testing.T) {
	picture := port{"pixel_values", typeFloat32, []int{-1, 3, 2, 2}}
	ids := port{"input_ids", 7, []int{-1, 77}}
	vector := port{"image_embeds", typeFloat32, []int{-1, 512}}
	graph := func(in, out []port) fstest.MapFS { return folderOf(portsOnly(in, out)) }
	without := func(name string) fstest.MapFS {
		files := folderOf(colours{}.graph())
		delete(files, name)
		return files
	}
	with := func(name, text string) fstest.MapFS {
		return fstest.MapFS(union(folderOf(colours{}.graph()), fstest.MapFS{name: {Data: []byte(text)}}))
	}
	for want, files := range map[string]fs.FS{
		"there is no ONNX graph in it: wanted onnx/vision_model.onnx": without("onnx/vision_model.onnx"),
		"it has graphs of other names (onnx/text_model.onnx)": fstest.MapFS(union(
			without("onnx/vision_model.onnx"), fstest.MapFS{"onnx/text_model.onnx": {Data: []byte("x")}})),
		"preprocessor_config.json is missing: fetch it from where onnx/vision_model.onnx came from": without("preprocessor_config.json"),
		"config.json: invalid character":                           with("config.json", "x"),
		"onnx/vision_model.onnx: not an ONNX file":                 with("onnx/vision_model.onnx", "version https://git-lfs.github.com/spec/v1"),
		"background.npy: not a NumPy file":                         with("background.npy", "x"),
		"background.npy has vectors of 2 numbers, the model has 3": with("background.npy", string(npy("<f4", 5, 2, floatBytes([]float32{1, 0, 1, 0, 1, 0, 1, 0, 1, 0})))),

		"the graph is a text encoder (it takes input_ids int64[?,77]): wanted the image encoder, onnx/vision_model.onnx": graph([]port{ids}, []port{vector}),
		"the graph is a whole CLIP (it takes input_ids int64[?,77], pixel_values float32[?,3,2,2])":                      graph([]port{ids, picture}, []port{vector}),
		"the graph has 2 inputs": graph([]port{picture, {"mask", typeFloat32, []int{-1, 2}}}, []port{vector}),
		"the graph takes channels last (pixels float32[?,2,2,3]), wanted [N,3,H,W]": graph([]port{{"pixels", typeFloat32, []int{-1, 2, 2, 3}}}, []port{vector}),
		"the graph takes x float32[?,10], wanted a picture [N,3,H,W]":               graph([]port{{"x", typeFloat32, []int{-1, 10}}}, []port{vector}),
		"the graph takes pixel_values float32[?,3,224,224] but the preprocessing gives 2×2 pixels": graph(
			[]port{{"pixel_values", typeFloat32, []int{-1, 3, 224, 224}}}, []port{vector}),
		"the graph's pixel_values uint8[?,3,2,2] must be float32 or float16": graph([]port{{"pixel_values", 2, []int{-1, 3, 2, 2}}}, []port{vector}),
		"the graph has no output that is known as a vector (it has a float32[?,4], b float32[?,5])": graph([]port{picture},
			[]port{{"a", typeFloat32, []int{-1, 4}}, {"b", typeFloat32, []int{-1, 5}}}),
	} {
		_, err := LoadFS(files)
		require.ErrorContains(t, err, want)
	}
}

func TestLoadDirRefusesOtherPaths(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "models")
	_, err := LoadDir(missing)
	require.EqualError(t, err, "model folder "+missing+": no such file or directory: give a folder in the Hugging Face layout")
	require.NoError(t, os.WriteFile(missing, nil, 0o600))
	_, err = LoadDir(missing)
	require.EqualError(t, err, "model folder "+missing+" is a file: give the folder that holds config.json and onnx/")
}

func TestChooseOutput(t *testing.T) {
	port := func(name string, dims ...int64) valueInfo {
		return valueInfo{name: name, elem: typeFloat32, dims: dims}
	}
	hidden := port("last_hidden_state", -1, 50, 768)
	for want, outputs := range map[string][]valueInfo{
		"image_embeds":  {hidden, port("pooler_output", -1, 768), port("image_embeds", -1, 512)},
		"embedding":     {hidden, port("embedding", -1, 512)},
		"pooler_output": {hidden, port("pooler_output", -1, 2048, 1, 1)},
	} {
		out, err := chooseOutput(&graph{outputs: outputs}, modelConfig{ModelType: "clip"})
		require.NoError(t, err)
		require.Equal(t, want, out.name)
	}
	two := []valueInfo{port("logits", -1, 10), port("pooler_output", -1, 768)}
	out, err := chooseOutput(&graph{outputs: two}, modelConfig{ModelType: "clip"})
	require.NoError(t, err)
	require.Equal(t, "pooler_output", out.name)
}

func union(a, b fstest.MapFS) fstest.MapFS {
	maps.Copy(a, b)
	return a
}

func FuzzParseGraph(f *testing.F) {
	f.Add(colours{}.graph())
	f.Add(portsOnly(nil, nil))
	f.Fuzz(func(_ *testing.T, data []byte) {
		if g, err := parseGraph(data); err == nil {
			_, _ = chooseTensors(g, modelConfig{ModelType: "dinov2"}, 2, 2) // must not panic
		}
	})
}
