// Package onnxfile writes ONNX model files, for benchmarks and tests: protobuf messages of onnx.proto, field by field.
package onnxfile

import (
	"encoding/binary"
	"fmt"
	"math"
	"unsafe"

	"google.golang.org/protobuf/encoding/protowire"

	"moderator/internal/half"
)

// Element types of tensors (TensorProto.DataType).
const (
	Float32 = 1
	Int8    = 3
	Int64   = 7
	Float16 = 10
)

// irVersion is ONNX's file format.
const irVersion = 8

// Message is a protobuf message. Each method returns it with one more field.
type Message []byte

// Number adds an integer.
func (m Message) Number(field, value int) Message {
	return protowire.AppendVarint(protowire.AppendTag(m, protowire.Number(field), protowire.VarintType), uint64(value))
}

// Float adds a number of 32 bits.
func (m Message) Float(field int, value float32) Message {
	return protowire.AppendFixed32(protowire.AppendTag(m, protowire.Number(field), protowire.Fixed32Type), math.Float32bits(value))
}

// Bytes adds bytes, or a message.
func (m Message) Bytes(field int, body []byte) Message {
	return protowire.AppendBytes(protowire.AppendTag(m, protowire.Number(field), protowire.BytesType), body)
}

// Text adds a string.
func (m Message) Text(field int, s string) Message { return m.Bytes(field, []byte(s)) }

// Port is the ValueInfoProto of an input or output. A negative size in dims is free; the same number is the same size in all
// ports of a graph.
func Port(name string, elem int, dims ...int) Message {
	var shape Message
	for _, d := range dims {
		if d < 0 {
			shape = shape.Bytes(1, Message{}.Text(2, fmt.Sprintf("size_%d", -d)))
		} else {
			shape = shape.Bytes(1, Message{}.Number(1, d))
		}
	}
	tensor := Message{}.Number(1, elem).Bytes(2, shape)
	return Message{}.Text(1, name).Bytes(2, Message{}.Bytes(1, tensor))
}

// Tensor is a TensorProto. raw is its numbers, little-endian; see Raw.
func Tensor(name string, elem int, raw []byte, dims ...int) Message {
	return tensor(name, elem, dims).Bytes(9, raw)
}

// ExternalTensor is a TensorProto whose numbers are in the file at location.
func ExternalTensor(name string, elem int, location string, dims ...int) Message {
	return tensor(name, elem, dims).Bytes(13, Message{}.Text(1, "location").Text(2, location)).Number(14, 1)
}

func tensor(name string, elem int, dims []int) Message {
	var m Message
	for _, d := range dims {
		m = m.Number(1, d)
	}
	return m.Number(2, elem).Text(8, name)
}

// Raw is the little-endian bytes of values: their memory, as ONNX Runtime has builds for little-endian machines only.
func Raw[T int8 | int64 | float32](values []T) []byte {
	if len(values) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&values[0])), len(values)*binary.Size(values[0]))
}

// Halves is the little-endian bytes of values as float16, rounded to nearest even.
func Halves(values []float32) []byte {
	raw := make([]byte, 0, 2*len(values))
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint16(raw, half.FromFloat(v))
	}
	return raw
}

// Model is the whole file, of a GraphProto and the version of the operators that it uses.
func Model(graph Message, opset int) []byte {
	return Message{}.Number(1, irVersion).Bytes(7, graph).Bytes(8, Message{}.Number(2, opset))
}
