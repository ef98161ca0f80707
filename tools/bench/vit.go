package main

import (
	"fmt"
	"math"
	"math/rand/v2"

	"moderator/internal/onnxfile"
)

// tower is the shape of a CLIP vision transformer.
type tower struct {
	image, patch         int // pixels of a side
	width, heads, layers int
	projection           int // width of the vector
}

// vitB32 is the picture half of CLIP ViT-B/32.
var vitB32 = tower{image: 224, patch: 32, width: 768, heads: 12, layers: 12, projection: 512}

func (t tower) tokens() int { return (t.image/t.patch)*(t.image/t.patch) + 1 }

// flop is the floating-point operations of the matrix products for one picture.
func (t tower) flop() float64 {
	n, w := float64(t.tokens()), float64(t.width)
	patches := (n - 1) * w * 3 * float64(t.patch*t.patch)
	layer := 12*n*w*w + 2*n*n*w
	return 2 * (patches + float64(t.layers)*layer + w*float64(t.projection))
}

// builder writes a tower's graph with random weights, which the seed determines, quantised or not.
type builder struct {
	graph
	tower
	random          *rand.Rand
	quantised       bool
	quantisedInputs map[string]bool
}

// build returns the ONNX file: pixel_values [N, 3, image, image] -> image_embeds [N, projection], with the names of
// Hugging Face's exports. quantised quantises the matrix products as onnxruntime.quantization.quantize_dynamic does.
func (t tower) build(seed uint64, quantised bool) []byte {
	b := &builder{
		graph: graph{name: "vision_model"}, tower: t, random: rand.New(rand.NewPCG(seed, 1)), quantised: quantised, quantisedInputs: map[string]bool{},
	}
	w, n := t.width, t.tokens()
	const root = "/vision_model"
	b.int64s("flat", 0, int64(w), -1)
	b.int64s("split_heads", 0, int64(n), int64(t.heads), int64(w/t.heads))
	b.int64s("join_heads", 0, int64(n), int64(w))
	b.int64s("first", 0)
	b.scalar("attention_scale", float32(1/math.Sqrt(float64(w/t.heads))))
	b.scalar("gelu_scale", 1.702)

	patches := b.node("Conv", root+"/embeddings/patch_embedding/Conv",
		[]attribute{intsAttribute("kernel_shape", t.patch, t.patch), intsAttribute("strides", t.patch, t.patch)},
		"pixel_values", b.weights("vision_model.embeddings.patch_embedding.weight", 3*t.patch*t.patch, w, 3, t.patch, t.patch))
	flat := b.node("Reshape", root+"/embeddings/Reshape", nil, patches, "flat")
	rows := b.node("Transpose", root+"/embeddings/Transpose", []attribute{intsAttribute("perm", 0, 2, 1)}, flat)
	x := b.node("Concat", root+"/embeddings/Concat", []attribute{intAttribute("axis", 1)}, b.classToken(rows), rows)
	x = b.node("Add", root+"/embeddings/Add", nil, x, b.weights("vision_model.embeddings.position_embedding.weight", w, 1, n, w))
	x = b.norm(root+"/pre_layrnorm", "vision_model.pre_layrnorm", x)
	for i := range t.layers {
		x = b.layer(fmt.Sprintf("%s/encoder/layers.%d", root, i), fmt.Sprintf("vision_model.encoder.layers.%d", i), x)
	}
	pooled := b.node("Gather", root+"/Gather", []attribute{intAttribute("axis", 1)}, x, b.tensor("class_index", onnxfile.Int64, onnxfile.Raw([]int64{0})))
	pooled = b.norm(root+"/post_layernorm", "vision_model.post_layernorm", pooled)
	b.product("/visual_projection/MatMul", "visual_projection.weight", pooled, w, t.projection, "image_embeds")
	return b.model(onnxfile.Port("pixel_values", onnxfile.Float32, -1, 3, t.image, t.image), onnxfile.Port("image_embeds", onnxfile.Float32, -1, t.projection))
}

// classToken repeats the class embedding for each picture of the batch.
func (b *builder) classToken(rows string) string {
	const root = "/vision_model/embeddings/"
	class := b.weights("vision_model.embeddings.class_embedding", b.width, 1, 1, b.width)
	shape := b.node("Shape", root+"Shape", nil, rows)
	batch := b.node("Gather", root+"Gather", []attribute{intAttribute("axis", 0)}, shape, "first")
	wanted := b.node("Concat", root+"Concat_1", []attribute{intAttribute("axis", 0)}, batch, b.int64s("one_class", 1, int64(b.width)))
	return b.node("Expand", root+"Expand", nil, class, wanted)
}

// layer is one block of the transformer: attention and perceptron, each after a norm and with a residual.
func (b *builder) layer(at, name, x string) string {
	attended := b.attention(at+"/self_attn", name+".self_attn", b.norm(at+"/layer_norm1", name+".layer_norm1", x))
	x = b.node("Add", at+"/Add", nil, x, attended)
	hidden := b.linear(at+"/mlp/fc1", name+".mlp.fc1", b.norm(at+"/layer_norm2", name+".layer_norm2", x), b.width, 4*b.width)
	// QuickGELU: x · sigmoid(1.702 x).
	gate := b.node("Sigmoid", at+"/mlp/activation_fn/Sigmoid", nil, b.node("Mul", at+"/mlp/activation_fn/Mul", nil, hidden, "gelu_scale"))
	hidden = b.node("Mul", at+"/mlp/activation_fn/Mul_1", nil, hidden, gate)
	return b.node("Add", at+"/Add_1", nil, x, b.linear(at+"/mlp/fc2", name+".mlp.fc2", hidden, 4*b.width, b.width))
}

func (b *builder) attention(at, name, x string) string {
	heads := func(part string, perm ...int) string {
		projected := b.linear(at+"/"+part, name+"."+part, x, b.width, b.width)
		if part == "q_proj" {
			projected = b.node("Mul", at+"/Mul", nil, projected, "attention_scale")
		}
		split := b.node("Reshape", at+"/"+part+"/Reshape", nil, projected, "split_heads")
		return b.node("Transpose", at+"/"+part+"/Transpose", []attribute{intsAttribute("perm", perm...)}, split)
	}
	q, k, v := heads("q_proj", 0, 2, 1, 3), heads("k_proj", 0, 2, 3, 1), heads("v_proj", 0, 2, 1, 3)
	weights := b.node("Softmax", at+"/Softmax", []attribute{intAttribute("axis", -1)}, b.node("MatMul", at+"/MatMul", nil, q, k))
	mixed := b.node("MatMul", at+"/MatMul_1", nil, weights, v)
	rows := b.node("Transpose", at+"/Transpose", []attribute{intsAttribute("perm", 0, 2, 1, 3)}, mixed)
	joined := b.node("Reshape", at+"/Reshape", nil, rows, "join_heads")
	return b.linear(at+"/out_proj", name+".out_proj", joined, b.width, b.width)
}

func (b *builder) norm(at, name, x string) string {
	ones := make([]float32, b.width)
	for i := range ones {
		ones[i] = 1
	}
	return b.node("LayerNormalization", at+"/LayerNormalization", []attribute{intAttribute("axis", -1), floatAttribute("epsilon", 1e-5)}, x,
		b.floats(name+".weight", ones, b.width), b.floats(name+".bias", make([]float32, b.width), b.width))
}

// linear is x · W + bias.
func (b *builder) linear(at, name, x string, in, out int) string {
	product := b.product(at+"/MatMul", name+".weight", x, in, out, at+"/MatMul")
	return b.node("Add", at+"/Add", nil, product, b.weights(name+".bias", b.width*b.width, out))
}

// weights adds random numbers with a variance of 1/fanIn, which keeps the magnitude of activations.
func (b *builder) weights(name string, fanIn int, dims ...int) string {
	return b.floats(name, b.draw(fanIn, dims...), dims...)
}

func (b *builder) draw(fanIn int, dims ...int) []float32 {
	size := 1
	for _, d := range dims {
		size *= d
	}
	span := float32(math.Sqrt(12 / float64(fanIn)))
	values := make([]float32, size)
	for i := range values {
		values[i] = (b.random.Float32() - 0.5) * span
	}
	return values
}
