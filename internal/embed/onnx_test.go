package embed

import (
	"encoding/binary"
	"fmt"
	"math"
	"testing/fstest"
)

// The test models look at 2×2 pixels: out = flatten(in) · weights, with in [N, 3, 2, 2] and weights [12, 3], of which each
// column sums one colour. So a red picture has the vector (1, 0, 0) and a black one has none.

// message writes a protobuf message field by field, as far as ONNX files need it.
type message []byte

func (m message) number(field, value int) message {
	m = binary.AppendUvarint(m, uint64(field)<<3)
	return binary.AppendUvarint(m, uint64(value))
}

func (m message) bytes(field int, body []byte) message {
	m = binary.AppendUvarint(m, uint64(field)<<3|2)
	m = binary.AppendUvarint(m, uint64(len(body)))
	return append(m, body...)
}

func (m message) text(field int, s string) message { return m.bytes(field, []byte(s)) }

// port is an input or output; a negative size in dims is a free one.
type port struct {
	name string
	elem int
	dims []int
}

func (p port) message() message {
	var shape message
	for _, d := range p.dims {
		if d < 0 {
			shape = shape.bytes(1, message{}.text(2, "free"))
		} else {
			shape = shape.bytes(1, message{}.number(1, d))
		}
	}
	tensor := message{}.number(1, p.elem).bytes(2, shape)
	return message{}.text(1, p.name).bytes(2, message{}.bytes(1, tensor))
}

// node writes a NodeProto; attributes are integers.
func node(op, out string, attributes map[string]int, in ...string) message {
	var m message
	for _, name := range in {
		m = m.text(1, name)
	}
	m = m.text(2, out).text(4, op)
	for name, value := range attributes {
		m = m.bytes(5, message{}.text(1, name).number(3, value).number(20, 2)) // AttributeProto.INT
	}
	return m
}

// initializer writes a float32 TensorProto; with a file, its numbers lie there.
func initializer(name string, dims []int, values []float32, file string) message {
	var m message
	for _, d := range dims {
		m = m.number(1, d)
	}
	m = m.number(2, typeFloat32).text(8, name)
	if file != "" {
		return m.bytes(13, message{}.text(1, "location").text(2, file)).number(14, 1)
	}
	return m.bytes(9, floatBytes(values))
}

func floatBytes(values []float32) (b []byte) {
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

func modelProto(graph message) []byte {
	opset := message{}.number(2, 13)
	return message{}.number(1, 8).bytes(7, graph).bytes(8, opset)
}

func colourWeights() []float32 {
	w := make([]float32, 12*3)
	for i := range 12 {
		w[i*3+i/4] = 1
	}
	return w
}

// colours describes a test model; the zero value is the plainest.
type colours struct {
	inElem, outElem int    // 0: float32
	batch           int    // 0: free
	output          string // "": image_embeds
	freeWidth       bool   // the graph does not say how wide its output is
	tokens          bool   // [N, 1, 3] as last_hidden_state
	external        string // file of the weights
	constant        bool   // the weights are a Constant node's
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
		bytes(1, node("Cast", "float", map[string]int{"to": typeFloat32}, "pixel_values")).
		bytes(1, node("Flatten", "flat", nil, "float")).
		bytes(1, node("MatMul", "sums", nil, "flat", "weights"))
	last := "sums"
	if c.tokens {
		output, dims, last = "last_hidden_state", []int{batch, -1, width}, "token"
		g = g.bytes(1, node("Unsqueeze", last, nil, "sums", "one"))
		g = g.bytes(5, message{}.number(1, 1).number(2, 7).text(8, "one").bytes(9, []byte{1, 0, 0, 0, 0, 0, 0, 0}))
	}
	g = g.bytes(1, node("Cast", output, map[string]int{"to": orFloat(c.outElem)}, last))
	weights := initializer("weights", []int{12, 3}, colourWeights(), c.external)
	if c.constant {
		value := message{}.text(1, "value").bytes(5, weights).number(20, 4) // AttributeProto.TENSOR
		g = append(message{}.bytes(1, message{}.text(2, "weights").text(4, "Constant").bytes(5, value)), g...)
	} else {
		g = g.bytes(5, weights)
	}
	g = g.text(2, "colours")
	g = g.bytes(11, port{"pixel_values", orFloat(c.inElem), []int{batch, 3, 2, 2}}.message())
	g = g.bytes(12, port{output, orFloat(c.outElem), dims}.message())
	return modelProto(g)
}

// portsOnly is a graph that can be read but not run, for what is refused before running.
func portsOnly(in, out []port) []byte {
	var g message
	for _, p := range in {
		g = g.bytes(11, p.message())
	}
	for _, p := range out {
		g = g.bytes(12, p.message())
	}
	return modelProto(g)
}

// tinyPreprocessing makes 2×2 pixels, each value divided by 255.
const tinyPreprocessing = `{"size": {"height": 2, "width": 2}, "do_center_crop": false, "do_normalize": false}`

// folderOf is a model folder around a graph.
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

// paint is a 2×2 picture of one colour.
func paint(r, g, b byte) []byte {
	var p []byte
	for range 4 {
		p = append(p, r, g, b)
	}
	return p
}
