package embed

import (
	"fmt"
	"testing/fstest"

	"moderator/internal/onnxfile"
)

// The test models take 2×2 pixels: out = flatten(in) · weights, with in [N, 3, 2, 2] and weights [12, 3]. Each column sums
// one colour: a red picture has the vector (1, 0, 0), and a black one has no vector.

type message = onnxfile.Message

// port is an input or output. A negative size in dims is free.
type port struct {
	name string
	elem int
	dims []int
}

func (p port) message() message { return onnxfile.Port(p.name, p.elem, p.dims...) }

// node writes a NodeProto; attributes are integers.
func node(op, out string, attributes map[string]int, in ...string) message {
	var m message
	for _, name := range in {
		m = m.Text(1, name)
	}
	m = m.Text(2, out).Text(4, op)
	for name, value := range attributes {
		m = m.Bytes(5, message{}.Text(1, name).Number(3, value).Number(20, 2)) // AttributeProto.INT
	}
	return m
}

func floatBytes(values []float32) []byte { return onnxfile.Raw(values) }

func modelProto(graph message) []byte { return onnxfile.Model(graph, 13) }

func colourWeights() []float32 {
	w := make([]float32, 12*3)
	for i := range 12 {
		w[i*3+i/4] = 1
	}
	return w
}

// colours describes a test model. The zero value is the simplest.
type colours struct {
	inElem, outElem int    // 0: float32
	batch           int    // 0: free
	output          string // "": image_embeds
	freeWidth       bool   // the output's width is free
	tokens          bool   // [N, 1, 3] as last_hidden_state
	external        string // file of the weights
	constant        bool   // the weights are a Constant node's
	halfWeights     bool   // of float16
}

func (c colours) graph() []byte {
	orFloat := func(elem int) int { return max(elem, typeFloat32) }
	batch, width, output := c.batch, 3, c.output
	if batch == 0 {
		batch = -1
	}
	if c.freeWidth {
		width = -1
	}
	if output == "" {
		output = "image_embeds"
	}
	dims := []int{batch, width}
	g := message{}.
		Bytes(1, node("Cast", "float", map[string]int{"to": typeFloat32}, "pixel_values")).
		Bytes(1, node("Flatten", "flat", nil, "float")).
		Bytes(1, node("MatMul", "sums", nil, "flat", "weights"))
	last := "sums"
	if c.tokens {
		output, dims, last = "last_hidden_state", []int{batch, -1, width}, "token"
		g = g.Bytes(1, node("Unsqueeze", last, nil, "sums", "one"))
		g = g.Bytes(5, onnxfile.Tensor("one", onnxfile.Int64, onnxfile.Raw([]int64{1}), 1))
	}
	g = g.Bytes(1, node("Cast", output, map[string]int{"to": orFloat(c.outElem)}, last))
	weights := onnxfile.Tensor("weights", typeFloat32, floatBytes(colourWeights()), 12, 3)
	if c.halfWeights {
		weights = onnxfile.Tensor("weights", typeFloat16, onnxfile.Halves(colourWeights()), 12, 3)
	}
	if c.external != "" {
		weights = onnxfile.ExternalTensor("weights", typeFloat32, c.external, 12, 3)
	}
	if c.constant {
		value := message{}.Text(1, "value").Bytes(5, weights).Number(20, 4) // AttributeProto.TENSOR
		g = append(message{}.Bytes(1, message{}.Text(2, "weights").Text(4, "Constant").Bytes(5, value)), g...)
	} else {
		g = g.Bytes(5, weights)
	}
	g = g.Text(2, "colours")
	g = g.Bytes(11, port{"pixel_values", orFloat(c.inElem), []int{batch, 3, 2, 2}}.message())
	g = g.Bytes(12, port{output, orFloat(c.outElem), dims}.message())
	return modelProto(g)
}

// portsOnly returns a graph that can be parsed but not run.
func portsOnly(in, out []port) []byte {
	var g message
	for _, p := range in {
		g = g.Bytes(11, p.message())
	}
	for _, p := range out {
		g = g.Bytes(12, p.message())
	}
	return modelProto(g)
}

// tinyPreprocessing resizes to 2×2 pixels and divides by 255.
const tinyPreprocessing = `{"size": {"height": 2, "width": 2}, "do_center_crop": false, "do_normalize": false}`

// folderOf returns a model folder with the graph.
func folderOf(graph []byte) fstest.MapFS {
	return fstest.MapFS{
		"config.json":              {Data: []byte(`{"_name_or_path": "test/colours"}`)},
		"preprocessor_config.json": {Data: []byte(tinyPreprocessing)},
		"onnx/vision_model.onnx":   {Data: graph},
	}
}

// npy writes what numpy.save does.
func npy(descr string, rows, cols int, body []byte) []byte {
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%d, %d), }", descr, rows, cols)
	for (10+len(header)+1)%64 != 0 {
		header += " "
	}
	header += "\n"
	b := append([]byte("\x93NUMPY\x01\x00"), byte(len(header)), byte(len(header)>>8))
	return append(append(b, header...), body...)
}

// paint returns a 2×2 picture of one colour.
func paint(r, g, b byte) []byte {
	var p []byte
	for range 4 {
		p = append(p, r, g, b)
	}
	return p
}
