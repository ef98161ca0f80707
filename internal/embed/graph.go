package embed

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Supported element types (TensorProto.DataType in onnx.proto).
const (
	typeFloat32 = 1
	typeFloat16 = 10
)

// valueInfo is an input or output of a graph.
type valueInfo struct {
	name string
	elem int     // TensorProto.DataType; 0 if it is not a tensor
	dims []int64 // -1 for a free size
}

// String returns a text for errors: "pixel_values float32[?,3,224,224]".
func (v valueInfo) String() string {
	names := map[int]string{1: "float32", 2: "uint8", 3: "int8", 6: "int32", 7: "int64", 10: "float16", 11: "float64", 16: "bfloat16"}
	elem, ok := names[v.elem]
	if !ok {
		elem = fmt.Sprintf("type%d", v.elem)
	}
	s := v.name + " " + elem + "["
	for i, d := range v.dims {
		if i > 0 {
			s += ","
		}
		if d < 0 {
			s += "?"
		} else {
			s += fmt.Sprint(d)
		}
	}
	return s + "]"
}

// graph holds the inputs, outputs and external files of a model file.
type graph struct {
	inputs, outputs []valueInfo
	external        []string // files of weights relative to the graph's folder, without duplicates
	half            bool     // some weights are of float16
}

var errProto = errors.New("not an ONNX file (its protobuf does not parse)")

// parseGraph reads inputs, outputs and external files of an ONNX ModelProto. The runtime would need its library and a whole
// session for that. Field numbers are those of onnx.proto.
func parseGraph(model []byte) (*graph, error) {
	g := &graph{}
	weights := map[string]bool{} // initializers may be listed as inputs as well (IR version 3)
	found := false
	err := fields(model, func(num int, body []byte, _ uint64) error {
		if num != 7 { // ModelProto.graph
			return nil
		}
		found = true
		return fields(body, func(num int, body []byte, _ uint64) error {
			switch num {
			case 1: // GraphProto.node
				return g.weightsOfNode(body, 0)
			case 5: // GraphProto.initializer
				w, err := parseTensor(body)
				if err != nil {
					return err
				}
				weights[w.name] = true
				g.addWeight(w)
			case 11, 12: // GraphProto.input, .output
				v, err := parseValueInfo(body)
				if err != nil {
					return err
				}
				if num == 11 {
					g.inputs = append(g.inputs, v)
				} else {
					g.outputs = append(g.outputs, v)
				}
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	if !found || len(g.outputs) == 0 {
		return nil, errProto
	}
	real := g.inputs[:0]
	for _, in := range g.inputs {
		if !weights[in.name] {
			real = append(real, in)
		}
	}
	g.inputs = real
	return g, nil
}

func (g *graph) addWeight(w weight) {
	g.half = g.half || w.elem == typeFloat16
	if w.file != "" && !slices.Contains(g.external, w.file) {
		g.external = append(g.external, w.file)
	}
}

// deepest bounds the nesting of graphs in nodes (If, Loop). Real models nest two or three.
const deepest = 16

// weightsOfNode adds the weights of a node's tensors (Constant) and of its graphs.
func (g *graph) weightsOfNode(node []byte, depth int) error {
	if depth > deepest {
		return fmt.Errorf("its graphs are nested more than %d deep", deepest)
	}
	tensor := func(body []byte) error {
		w, err := parseTensor(body)
		g.addWeight(w)
		return err
	}
	inner := func(num int, body []byte, _ uint64) error { // GraphProto
		switch num {
		case 1:
			return g.weightsOfNode(body, depth+1)
		case 5:
			return tensor(body)
		}
		return nil
	}
	return fields(node, func(num int, body []byte, _ uint64) error {
		if num != 5 { // NodeProto.attribute
			return nil
		}
		return fields(body, func(num int, body []byte, _ uint64) error {
			switch num {
			case 5, 10: // AttributeProto.t, .tensors
				return tensor(body)
			case 6, 11: // AttributeProto.g, .graphs
				return fields(body, inner)
			}
			return nil
		})
	})
}

// weight is a TensorProto.
type weight struct {
	name string
	elem int    // TensorProto.DataType
	file string // of its data; "" if the graph has the data
}

func parseTensor(tensor []byte) (w weight, err error) {
	err = fields(tensor, func(num int, body []byte, n uint64) error {
		switch num {
		case 2: // TensorProto.data_type
			w.elem = int(n)
		case 8: // TensorProto.name
			w.name = string(body)
		case 13: // TensorProto.external_data, a StringStringEntryProto
			var key, value string
			if err := fields(body, func(num int, body []byte, _ uint64) error {
				switch num {
				case 1:
					key = string(body)
				case 2:
					value = string(body)
				}
				return nil
			}); err != nil {
				return err
			}
			if key == "location" {
				w.file = value
			}
		}
		return nil
	})
	return w, err
}

func parseValueInfo(info []byte) (v valueInfo, err error) {
	dim := func(body []byte) error {
		size := int64(-1)
		err := fields(body, func(num int, _ []byte, n uint64) error {
			if num == 1 && int64(n) > 0 { // Dimension.dim_value
				size = int64(n)
			}
			return nil
		})
		v.dims = append(v.dims, size)
		return err
	}
	tensor := func(num int, body []byte, n uint64) error { // TypeProto.Tensor
		switch num {
		case 1:
			v.elem = int(n)
		case 2:
			return fields(body, func(_ int, body []byte, _ uint64) error { return dim(body) })
		}
		return nil
	}
	err = fields(info, func(num int, body []byte, _ uint64) error {
		switch num {
		case 1: // ValueInfoProto.name
			v.name = string(body)
		case 2: // ValueInfoProto.type
			return fields(body, func(num int, body []byte, _ uint64) error {
				if num == 1 { // TypeProto.tensor_type
					return fields(body, tensor)
				}
				return nil
			})
		}
		return nil
	})
	return v, err
}

// fields calls visit for each field of a protobuf message: with its bytes if it is length-delimited, else with its value.
func fields(msg []byte, visit func(num int, body []byte, n uint64) error) error {
	for len(msg) > 0 {
		tag, size := binary.Uvarint(msg)
		if size <= 0 {
			return errProto
		}
		msg = msg[size:]
		var body []byte
		var n uint64
		switch tag & 7 {
		case 0: // varint
			n, size = binary.Uvarint(msg)
		case 1: // 64 bit
			size = 8
		case 2: // length-delimited
			var head int
			n, head = binary.Uvarint(msg)
			if head <= 0 || n > uint64(len(msg)-head) {
				return errProto
			}
			size = head + int(n)
			body = msg[head:size]
		case 5: // 32 bit
			size = 4
		default:
			return errProto
		}
		if size <= 0 || size > len(msg) {
			return errProto
		}
		msg = msg[size:]
		if err := visit(int(tag>>3), body, n); err != nil {
			return err
		}
	}
	return nil
}
