package main

import (
	"encoding/binary"
	"math"
	"unsafe"
)

// The element types of ONNX tensors that are written here (onnx.proto, TensorProto.DataType).
const (
	onnxFloat32 = 1
	onnxInt8    = 3
	onnxInt64   = 7
)

const (
	onnxIR    = 8
	onnxOpset = 17 // the first with LayerNormalization
)

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

func (a attribute) message() message {
	m := message{}.text(1, a.name)
	switch a.kind {
	case 1:
		m = binary.AppendUvarint(m, 2<<3|5)
		m = binary.LittleEndian.AppendUint32(m, math.Float32bits(a.float))
	case 2:
		m = m.number(3, a.number)
	default:
		for _, v := range a.many {
			m = m.number(8, v)
		}
	}
	return m.number(20, a.kind)
}

// graph is an ONNX graph as it grows: nodes and initializers, in GraphProto's encoding.
type graph struct {
	name         string
	nodes        message
	initializers message
}

// node adds a node with one output, which is named as the node is, and returns that name.
func (g *graph) node(op, name string, attributes []attribute, in ...string) string {
	g.nodeOut(op, name, attributes, in, name)
	return name
}

// nodeOut adds a node with the given outputs.
func (g *graph) nodeOut(op, name string, attributes []attribute, in []string, out ...string) {
	var m message
	for _, n := range in {
		m = m.text(1, n)
	}
	for _, n := range out {
		m = m.text(2, n)
	}
	m = m.text(3, name).text(4, op)
	for _, a := range attributes {
		m = m.bytes(5, a.message())
	}
	g.nodes = g.nodes.bytes(1, m)
}

// tensor adds an initializer of the given type, whose numbers raw holds in little-endian order.
func (g *graph) tensor(name string, elem int, raw []byte, dims ...int) string {
	var m message
	for _, d := range dims {
		m = m.number(1, d)
	}
	g.initializers = g.initializers.bytes(5, m.number(2, elem).text(8, name).bytes(9, raw))
	return name
}

func (g *graph) floats(name string, values []float32, dims ...int) string {
	return g.tensor(name, onnxFloat32, rawBytes(values), dims...)
}

func (g *graph) int8s(name string, values []int8, dims ...int) string {
	return g.tensor(name, onnxInt8, rawBytes(values), dims...)
}

func (g *graph) int64s(name string, values ...int64) string {
	return g.tensor(name, onnxInt64, rawBytes(values), len(values))
}

// scalar adds a tensor without dimensions.
func (g *graph) scalar(name string, value float32) string {
	return g.tensor(name, onnxFloat32, rawBytes([]float32{value}))
}

// rawBytes is the memory of values: ONNX files are little-endian, as are the machines that ONNX Runtime is built for.
func rawBytes[T any](values []T) []byte {
	if len(values) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&values[0])), len(values)*int(unsafe.Sizeof(values[0])))
}

// port is an input or output of float32; a negative size in dims is the batch's.
func port(name string, dims ...int) message {
	var shape message
	for _, d := range dims {
		if d < 0 {
			shape = shape.bytes(1, message{}.text(2, "batch_size"))
		} else {
			shape = shape.bytes(1, message{}.number(1, d))
		}
	}
	tensor := message{}.number(1, onnxFloat32).bytes(2, shape)
	return message{}.text(1, name).bytes(2, message{}.bytes(1, tensor))
}

// model is the whole file.
func (g *graph) model(in, out message) []byte {
	body := make(message, 0, len(g.nodes)+len(g.initializers)+1024)
	body = append(body, g.nodes...)
	body = body.text(2, g.name)
	body = append(body, g.initializers...)
	body = body.bytes(11, in).bytes(12, out)
	return message{}.number(1, onnxIR).text(2, "moderator bench").bytes(7, body).bytes(8, message{}.number(2, onnxOpset))
}
