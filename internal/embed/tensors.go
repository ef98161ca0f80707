package embed

import (
	"fmt"
	"slices"
	"strings"
)

// tensors describes a graph's picture input and vector output.
type tensors struct {
	input, output string
	inHalf        bool // float16 instead of float32
	outHalf       bool
	batch         int     // fixed batch size of the graph; 0: any
	width         int     // of the vector; 0: unknown
	tokens        bool    // the output is [N, T, D] and the vector is token 0
	tail          []int64 // the output's shape without the batch; -1: unknown
}

// Bounds of a graph's sizes, so that an error in it does not allocate memory.
const (
	widest       = 3999    // numbers of a vector; the library stores no wider ones
	largestFixed = 256     // pictures of a fixed batch
	largestTail  = 1 << 24 // numbers of the output for one picture
)

// classTokenFirst are the families (config.json, model_type) whose vector is the class token, the first of
// last_hidden_state. nomic_bert is nomic-embed-vision, whose only token is the pooled one.
var classTokenFirst = []string{"dinov2", "dinov2_with_registers", "dinov3_vit", "vit", "deit", "nomic_bert"}

// vectorNames are outputs [N, D] that are known to be vectors, best first.
var vectorNames = []string{"image_embeds", "l2norm_image_embeddings", "image_embeddings", "embedding"}

// classifierOutput has scores of classes instead of features, unless the network was exported without its classifier.
const classifierOutput = "logits"

// chooseTensors finds the picture input and the vector output of g. width and height are the preprocessing's.
func chooseTensors(g *graph, c modelConfig, width, height int) (tensors, error) {
	var t tensors
	in, err := chooseInput(g)
	if err != nil {
		return t, err
	}
	out, err := chooseOutput(g, c)
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
		return t, fmt.Errorf("the graph takes %s but the preprocessing gives %d×%d pixels (width×height): the two files are not of the same model", in, width, height)
	}
	t = tensors{
		input: in.name, output: out.name,
		inHalf: in.elem == typeFloat16, outHalf: out.elem == typeFloat16,
		batch: max(int(d[0]), 0), tokens: len(out.dims) == 3,
		tail: out.dims[1:],
	}
	t.width = max(int(vectorWidth(t.tail)), 0)
	if t.batch > largestFixed {
		return t, fmt.Errorf("the graph takes %s, batches of %d pictures: export it with a free batch size, or with at most %d", in, t.batch, largestFixed)
	}
	return t, checkTail(out.name, t.tail)
}

// checkTail refuses an output whose known sizes are too large.
func checkTail(output string, tail []int64) error {
	numbers := int64(1)
	for _, d := range tail {
		if d == 0 || d > largestTail || numbers*max(d, 1) > largestTail {
			return fmt.Errorf("the output %s has shape %v for each picture, wanted at most %d numbers", output, tail, largestTail)
		}
		numbers *= max(d, 1)
	}
	if width := vectorWidth(tail); width > widest {
		return fmt.Errorf("the output %s is %d wide, wanted at most %d: choose the output of an image encoder", output, width, widest)
	}
	return nil
}

func chooseInput(g *graph) (valueInfo, error) {
	text := slices.ContainsFunc(g.inputs, func(v valueInfo) bool { return v.name == "input_ids" || v.name == "attention_mask" })
	switch {
	case text && len(g.inputs) > 0 && slices.ContainsFunc(g.inputs, func(v valueInfo) bool { return v.name == "pixel_values" }):
		return valueInfo{}, fmt.Errorf("the graph is a whole CLIP (it takes %s): wanted its image encoder alone, onnx/vision_model.onnx", list(g.inputs))
	case text:
		return valueInfo{}, fmt.Errorf("the graph is a text encoder (it takes %s): wanted the image encoder, onnx/vision_model.onnx", list(g.inputs))
	case len(g.inputs) != 1:
		return valueInfo{}, fmt.Errorf("the graph has %d inputs (%s), wanted one picture tensor: choose the export of an image encoder, onnx/vision_model.onnx", len(g.inputs), list(g.inputs))
	}
	return g.inputs[0], nil
}

func chooseOutput(g *graph, c modelConfig) (valueInfo, error) {
	var flat []valueInfo
	named := map[string]valueInfo{}
	for _, v := range g.outputs {
		if len(v.dims) == 2 {
			flat = append(flat, v)
			named[v.name] = v
		}
	}
	for _, name := range vectorNames {
		if v, ok := named[name]; ok {
			return v, nil
		}
	}
	if len(flat) == 1 && flat[0].name == classifierOutput && !c.headless() {
		return valueInfo{}, fmt.Errorf("the graph's only vector, %s, is a classifier's scores: wanted an export without the classifier (timm: num_classes=0, also in config.json)", flat[0])
	}
	if len(flat) == 1 {
		return flat[0], nil
	}
	for _, v := range g.outputs {
		// The pooled output of convolutional networks is [N, D, 1, 1].
		pooled := len(v.dims) == 2 || len(v.dims) == 4 && v.dims[2] == 1 && v.dims[3] == 1
		if v.name == "pooler_output" && pooled {
			return v, nil
		}
	}
	if slices.Contains(classTokenFirst, c.ModelType) {
		for _, v := range g.outputs {
			if v.name == "last_hidden_state" && len(v.dims) == 3 {
				return v, nil
			}
		}
	}
	return valueInfo{}, fmt.Errorf("the graph has no output that is known as a vector (it has %s): wanted %s, pooler_output or a single [N,D]",
		list(g.outputs), strings.Join(vectorNames, ", "))
}

func list(vs []valueInfo) string {
	s := make([]string, len(vs))
	for i, v := range vs {
		s[i] = v.String()
	}
	return strings.Join(s, ", ")
}
