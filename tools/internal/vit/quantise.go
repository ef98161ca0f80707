package vit

import (
	"math"

	"moderator/internal/onnxfile"
)

// product is x · W with a random W [in, out]. Quantised, it has the nodes of quantize_dynamic: x in uint8 with a scale and a
// zero point (once for each input), W in int8 with 7 bits (reduce_range) and one scale, the product in int32, and back:
//
//	DynamicQuantizeLinear(x) -> MatMulInteger(x8, W8, x_zero, W_zero) -> Cast -> Mul(x_scale · W_scale)
func (b *builder) product(at, name, x string, in, out int, result string) string {
	w := b.draw(in, in, out)
	if b.precision != Int8 {
		b.nodeOut("MatMul", at, nil, []string{x, b.floats(name, w, in, out)}, result)
		return result
	}
	q := b.quantise(x)
	small, scale := toInt8(w)
	b.int8s(name+"_quantized", small, in, out)
	b.scalar(name+"_scale", scale)
	b.tensor(name+"_zero_point", onnxfile.Int8, []byte{0})
	sums := b.node("MatMulInteger", at+"_quant", nil, q.values, name+"_quantized", q.zero, name+"_zero_point")
	scales := b.node("Mul", at+"_quant_scales_mul", nil, q.scale, name+"_scale")
	b.nodeOut("Mul", at+"_quant_output_scale_mul", nil,
		[]string{b.node("Cast", at+"_output_quantized_cast", []attribute{intAttribute("to", onnxfile.Float32)}, sums), scales}, result)
	return result
}

// quantisedInput is the outputs of a DynamicQuantizeLinear.
type quantisedInput struct{ values, scale, zero string }

func (b *builder) quantise(x string) quantisedInput {
	q := quantisedInput{x + "_quantized", x + "_scale", x + "_zero_point"}
	if b.quantisedInputs[x] {
		return q
	}
	b.quantisedInputs[x] = true
	b.nodeOut("DynamicQuantizeLinear", x+"_QuantizeLinear", nil, []string{x}, q.values, q.scale, q.zero)
	return q
}

// reduced is the largest magnitude of 7 bits. Processors without VNNI add two products in 16 bits, which weights of 8 bits would
// overflow.
const reduced = 63

// toInt8 scales the largest magnitude to reduced.
func toInt8(w []float32) (small []int8, scale float32) {
	var largest float32
	for _, v := range w {
		largest = max(largest, float32(math.Abs(float64(v))))
	}
	scale = largest / reduced
	small = make([]int8, len(w))
	for i, v := range w {
		small[i] = int8(math.RoundToEven(float64(v / scale)))
	}
	return small, scale
}
