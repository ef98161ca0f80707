package embed

import (
	"fmt"
	"slices"
	"strings"
)

// tensors is how pictures go into a graph and vectors come out.
type tensors struct {
	input, output string
	inHalf        bool // float16 instead of float32
	outHalf       bool
	batch         int     // the batch size that the graph insists on; 0: any
	width         int     // of the vector; 0: the graph does not say
	tokens        bool    // the output is [N, T, D] and the vector is token 0
	tail          []int64 // the output's shape without the batch, -1 where the graph does not say
}

// classTokenFirst are the families (config.json, model_type) whose last_hidden_state starts with the class token, and whose
// pooled output is that token after the final layer norm.
var classTokenFirst = []string{"dinov2", "dinov2_with_registers", "dinov3_vit", "vit", "deit"}

// chooseTensors finds the picture input and the vector output of g. width and height are the preprocessing's.
func chooseTensors(g *graph, modelType string, width, height int) (tensors, error) {
	var t tensors
	in, err := chooseInput(g)
	if err != nil {
		return t, err
	}
	out, err := chooseOutput(g, modelType)
	if err != nil {
		return t, err
	}
	for _, v := range []valueInfo{in, out} {
		if v.elem != typeFloat32 && v.elem != typeFloat16 {
			return t, fmt.Errorf("the graph's %s must be float32 or float16: export it with float inputs and outputs", v)
		}
	}
	d := in.dims
	if len(d) == 4 && d[1] != 3 && d[3] == 3 {
		return t, fmt.Errorf("the graph takes channels last (%s), wanted [N,3,H,W]: export it with channels first", in)
	}
	if len(d) != 4 || (d[1] != 3 && d[1] != -1) {
		return t, fmt.Errorf("the graph takes %s, wanted a picture [N,3,H,W]: choose the export of an image encoder", in)
	}
	if (d[2] > 0 && int(d[2]) != height) || (d[3] > 0 && int(d[3]) != width) {
		return t, fmt.Errorf("the graph takes %s but the preprocessing makes %d×%d pixels (width×height): the two files are not of the same model", in, width, height)
	}
	t = tensors{
		input: in.name, output: out.name,
		inHalf: in.elem == typeFloat16, outHalf: out.elem == typeFloat16,
		batch: max(int(d[0]), 0), tokens: len(out.dims) == 3,
		tail: out.dims[1:],
	}
	t.width = max(int(vectorWidth(t.tail)), 0)
	return t, nil
}

func chooseInput(g *graph) (valueInfo, error) {
	text := slices.ContainsFunc(g.inputs, func(v valueInfo) bool { return v.name == "input_ids" || v.name == "attention_mask" })
	switch {
	case text && len(g.inputs) > 0 && slices.ContainsFunc(g.inputs, func(v valueInfo) bool { return v.name == "pixel_values" }):
		return valueInfo{}, fmt.Errorf("the graph is a whole CLIP (it takes %s): wanted its image half alone, onnx/vision_model.onnx", list(g.inputs))
	case text:
		return valueInfo{}, fmt.Errorf("the graph is a text encoder (it takes %s): wanted the image encoder, onnx/vision_model.onnx", list(g.inputs))
	case len(g.inputs) != 1:
		return valueInfo{}, fmt.Errorf("the graph has %d inputs (%s), wanted one picture tensor: choose the export of an image encoder, onnx/vision_model.onnx", len(g.inputs), list(g.inputs))
	}
	return g.inputs[0], nil
}

func chooseOutput(g *graph, modelType string) (valueInfo, error) {
	var flat []valueInfo
	for _, v := range g.outputs {
		if v.name == "image_embeds" && len(v.dims) == 2 {
			return v, nil
		}
		if len(v.dims) == 2 {
			flat = append(flat, v)
		}
	}
	if len(flat) == 1 {
		return flat[0], nil
	}
	for _, v := range g.outputs {
		// Convolutional networks leave their pooled output as [N, D, 1, 1].
		pooled := len(v.dims) == 2 || len(v.dims) == 4 && v.dims[2] == 1 && v.dims[3] == 1
		if v.name == "pooler_output" && pooled {
			return v, nil
		}
	}
	if slices.Contains(classTokenFirst, modelType) {
		for _, v := range g.outputs {
			if v.name == "last_hidden_state" && len(v.dims) == 3 {
				return v, nil
			}
		}
	}
	return valueInfo{}, fmt.Errorf("no output of the graph is a vector per picture (it has %s): wanted image_embeds, pooler_output or a single [N,D]", list(g.outputs))
}

func list(vs []valueInfo) string {
	s := make([]string, len(vs))
	for i, v := range vs {
		s[i] = v.String()
	}
	return strings.Join(s, ", ")
}
