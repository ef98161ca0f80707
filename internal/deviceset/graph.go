package deviceset

import "moderator/internal/onnxfile"

// Names of the graph's inputs and outputs.
const (
	queriesName = "queries" // [N, width]
	rowsName    = "rows"    // [M, width]
	scoresName  = "scores"  // [N, returned], descending
	placesName  = "places"  // [N, returned], numbers of rows in the block
)

// returned is how many rows of a block come back for each query. It must not exceed granule.
const returned = 128

// graph is an ONNX file: scores, places = TopK(queries · rowsᵀ).
func graph(width int) []byte {
	g := onnxfile.Message{}.
		Bytes(1, node("Cast", []string{"queries32"}, onnxfile.Message{}.Text(1, "to").Number(3, onnxfile.Float32).Number(20, 2), queriesName)).
		Bytes(1, node("Cast", []string{"rows32"}, onnxfile.Message{}.Text(1, "to").Number(3, onnxfile.Float32).Number(20, 2), rowsName)).
		Bytes(1, node("Gemm", []string{"products"}, onnxfile.Message{}.Text(1, "transB").Number(3, 1).Number(20, 2), "queries32", "rows32")).
		Bytes(1, node("TopK", []string{scoresName, placesName}, nil, "products", "returned")).
		Text(2, "nearest").
		Bytes(5, onnxfile.Tensor("returned", onnxfile.Int64, onnxfile.Raw([]int64{returned}), 1))
	g = g.Bytes(11, onnxfile.Port(queriesName, onnxfile.Float16, -1, width)).Bytes(11, onnxfile.Port(rowsName, onnxfile.Float16, -2, width))
	g = g.Bytes(12, onnxfile.Port(scoresName, onnxfile.Float32, -1, returned)).Bytes(12, onnxfile.Port(placesName, onnxfile.Int64, -1, returned))
	return onnxfile.Model(g, 13)
}

// node is a NodeProto with at most one attribute, an AttributeProto.
func node(op string, outputs []string, attribute onnxfile.Message, inputs ...string) onnxfile.Message {
	var m onnxfile.Message
	for _, name := range inputs {
		m = m.Text(1, name)
	}
	for _, name := range outputs {
		m = m.Text(2, name)
	}
	m = m.Text(4, op)
	if attribute != nil {
		m = m.Bytes(5, attribute)
	}
	return m
}
