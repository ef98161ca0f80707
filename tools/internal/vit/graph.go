package vit

import "moderator/internal/onnxfile"

const onnxOpset = 17 // the first with LayerNormalization

// attribute is one of a node's: an integer, integers or a number.
type attribute struct {
	name   string
	number int
	many   []int
	float  float32
	kind   int // AttributeProto.AttributeType
}

func intAttribute(name string, value int) attribute {
	return attribute{name: name, number: value, kind: 2}
}

func intsAttribute(name string, values ...int) attribute {
	return attribute{name: name, many: values, kind: 7}
}

func floatAttribute(name string, value float32) attribute {
	return attribute{name: name, float: value, kind: 1}
}

func (a attribute) encoded() onnxfile.Message {
	m := onnxfile.Message{}.Text(1, a.name)
	switch a.kind {
	case 1:
		m = m.Float(2, a.float)
	case 2:
		m = m.Number(3, a.number)
	default:
		for _, v := range a.many {
			m = m.Number(8, v)
		}
	}
	return m.Number(20, a.kind)
}

// graph is an ONNX graph under construction: nodes and initializers, in GraphProto's encoding.
type graph struct {
	name         string
	nodes        onnxfile.Message
	initializers onnxfile.Message
}

// node adds a node with one output of the same name, and returns the name.
func (g *graph) node(op, name string, attributes []attribute, in ...string) string {
	g.nodeOut(op, name, attributes, in, name)
	return name
}

// nodeOut adds a node with the given outputs.
func (g *graph) nodeOut(op, name string, attributes []attribute, in []string, out ...string) {
	var m onnxfile.Message
	for _, n := range in {
		m = m.Text(1, n)
	}
	for _, n := range out {
		m = m.Text(2, n)
	}
	m = m.Text(3, name).Text(4, op)
	for _, a := range attributes {
		m = m.Bytes(5, a.encoded())
	}
	g.nodes = g.nodes.Bytes(1, m)
}

// tensor adds an initializer of the given type, whose numbers raw holds in little-endian order.
func (g *graph) tensor(name string, elem int, raw []byte, dims ...int) string {
	g.initializers = g.initializers.Bytes(5, onnxfile.Tensor(name, elem, raw, dims...))
	return name
}

// floats adds numbers in the tower's own type: float16 in a tower of float16.
func (b *builder) floats(name string, values []float32, dims ...int) string {
	if b.precision == Float16 {
		return b.tensor(name, onnxfile.Float16, onnxfile.Halves(values), dims...)
	}
	return b.tensor(name, onnxfile.Float32, onnxfile.Raw(values), dims...)
}

func (g *graph) int8s(name string, values []int8, dims ...int) string {
	return g.tensor(name, onnxfile.Int8, onnxfile.Raw(values), dims...)
}

func (g *graph) int64s(name string, values ...int64) string {
	return g.tensor(name, onnxfile.Int64, onnxfile.Raw(values), len(values))
}

// scalar adds a tensor without dimensions.
func (b *builder) scalar(name string, value float32) string {
	return b.floats(name, []float32{value})
}

// model returns the whole file.
func (g *graph) model(in, out onnxfile.Message) []byte {
	body := make(onnxfile.Message, 0, len(g.nodes)+len(g.initializers)+1024)
	body = append(body, g.nodes...)
	body = body.Text(2, g.name)
	body = append(body, g.initializers...)
	body = body.Bytes(11, in).Bytes(12, out)
	return onnxfile.Model(body, onnxOpset)
}
