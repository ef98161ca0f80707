// Package vit writes vision transformers with random weights as ONNX files, for the bench and the checks of providers.
package vit

import (
	"fmt"
	"math"
	"math/rand/v2"

	"moderator/internal/onnxfile"
)

// Tower is the shape of a CLIP vision transformer.
type Tower struct {
	Image, Patch         int // pixels of a side
	Width, Heads, Layers int
	Projection           int // width of the vector
}

// B32 is the picture half of CLIP ViT-B/32.
var B32 = Tower{Image: 224, Patch: 32, Width: 768, Heads: 12, Layers: 12, Projection: 512}

// Precision is the type of a tower's weights.
type Precision int

const (
	Float32 Precision = iota
	Float16           // weights, input and output
	Int8              // the matrix products, as onnxruntime.quantization.quantize_dynamic does
)

func (t Tower) tokens() int { return (t.Image/t.Patch)*(t.Image/t.Patch) + 1 }

// Flop is the floating-point operations of the matrix products for one picture.
func (t Tower) Flop() float64 {
	n, w := float64(t.tokens()), float64(t.Width)
	patches := (n - 1) * w * 3 * float64(t.Patch*t.Patch)
	layer := 12*n*w*w + 2*n*n*w
	return 2 * (patches + float64(t.Layers)*layer + w*float64(t.Projection))
}

// builder writes a tower's graph with random weights, which the seed determines.
type builder struct {
	graph
	Tower
	random          *rand.Rand
	precision       Precision
	quantisedInputs map[string]bool
}

// Build returns the ONNX file: pixel_values [N, 3, Image, Image] -> image_embeds [N, Projection], with the names of
// Hugging Face's exports.
func (t Tower) Build(seed uint64, precision Precision) []byte {
	b := &builder{
		graph: graph{name: "vision_model"}, Tower: t, random: rand.New(rand.NewPCG(seed, 1)), precision: precision, quantisedInputs: map[string]bool{},
	}
	w, n := t.Width, t.tokens()
	const root = "/vision_model"
	b.int64s("flat", 0, int64(w), -1)
	b.int64s("split_heads", 0, int64(n), int64(t.Heads), int64(w/t.Heads))
	b.int64s("join_heads", 0, int64(n), int64(w))
	b.int64s("first", 0)
	b.scalar("attention_scale", float32(1/math.Sqrt(float64(w/t.Heads))))
	b.scalar("gelu_scale", 1.702)

	patches := b.node("Conv", root+"/embeddings/patch_embedding/Conv",
		[]attribute{intsAttribute("kernel_shape", t.Patch, t.Patch), intsAttribute("strides", t.Patch, t.Patch)},
		"pixel_values", b.weights("vision_model.embeddings.patch_embedding.weight", 3*t.Patch*t.Patch, w, 3, t.Patch, t.Patch))
	flat := b.node("Reshape", root+"/embeddings/Reshape", nil, patches, "flat")
	rows := b.node("Transpose", root+"/embeddings/Transpose", []attribute{intsAttribute("perm", 0, 2, 1)}, flat)
	x := b.node("Concat", root+"/embeddings/Concat", []attribute{intAttribute("axis", 1)}, b.classToken(rows), rows)
	x = b.node("Add", root+"/embeddings/Add", nil, x, b.weights("vision_model.embeddings.position_embedding.weight", w, 1, n, w))
	x = b.norm(root+"/pre_layrnorm", "vision_model.pre_layrnorm", x)
	for i := range t.Layers {
		x = b.layer(fmt.Sprintf("%s/encoder/layers.%d", root, i), fmt.Sprintf("vision_model.encoder.layers.%d", i), x)
	}
	pooled := b.node("Gather", root+"/Gather", []attribute{intAttribute("axis", 1)}, x, b.tensor("class_index", onnxfile.Int64, onnxfile.Raw([]int64{0})))
	pooled = b.norm(root+"/post_layernorm", "vision_model.post_layernorm", pooled)
	b.product("/visual_projection/MatMul", "visual_projection.weight", pooled, w, t.Projection, "image_embeds")
	elem := onnxfile.Float32
	if precision == Float16 {
		elem = onnxfile.Float16
	}
	return b.model(onnxfile.Port("pixel_values", elem, -1, 3, t.Image, t.Image), onnxfile.Port("image_embeds", elem, -1, t.Projection))
}

// classToken repeats the class embedding for each picture of the batch.
func (b *builder) classToken(rows string) string {
	const root = "/vision_model/embeddings/"
	class := b.weights("vision_model.embeddings.class_embedding", b.Width, 1, 1, b.Width)
	shape := b.node("Shape", root+"Shape", nil, rows)
	batch := b.node("Gather", root+"Gather", []attribute{intAttribute("axis", 0)}, shape, "first")
	wanted := b.node("Concat", root+"Concat_1", []attribute{intAttribute("axis", 0)}, batch, b.int64s("one_class", 1, int64(b.Width)))
	return b.node("Expand", root+"Expand", nil, class, wanted)
}

// layer is one block of the transformer: attention and perceptron, each after a norm and with a residual.
func (b *builder) layer(at, name, x string) string {
	attended := b.attention(at+"/self_attn", name+".self_attn", b.norm(at+"/layer_norm1", name+".layer_norm1", x))
	x = b.node("Add", at+"/Add", nil, x, attended)
	hidden := b.linear(at+"/mlp/fc1", name+".mlp.fc1", b.norm(at+"/layer_norm2", name+".layer_norm2", x), b.Width, 4*b.Width)
	// QuickGELU: x · sigmoid(1.702 x).
	gate := b.node("Sigmoid", at+"/mlp/activation_fn/Sigmoid", nil, b.node("Mul", at+"/mlp/activation_fn/Mul", nil, hidden, "gelu_scale"))
	hidden = b.node("Mul", at+"/mlp/activation_fn/Mul_1", nil, hidden, gate)
	return b.node("Add", at+"/Add_1", nil, x, b.linear(at+"/mlp/fc2", name+".mlp.fc2", hidden, 4*b.Width, b.Width))
}

func (b *builder) attention(at, name, x string) string {
	heads := func(part string, perm ...int) string {
		projected := b.linear(at+"/"+part, name+"."+part, x, b.Width, b.Width)
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
	return b.linear(at+"/out_proj", name+".out_proj", joined, b.Width, b.Width)
}

func (b *builder) norm(at, name, x string) string {
	ones := make([]float32, b.Width)
	for i := range ones {
		ones[i] = 1
	}
	return b.node("LayerNormalization", at+"/LayerNormalization", []attribute{intAttribute("axis", -1), floatAttribute("epsilon", 1e-5)}, x,
		b.floats(name+".weight", ones, b.Width), b.floats(name+".bias", make([]float32, b.Width), b.Width))
}

// linear is x · W + bias.
func (b *builder) linear(at, name, x string, in, out int) string {
	product := b.product(at+"/MatMul", name+".weight", x, in, out, at+"/MatMul")
	return b.node("Add", at+"/Add", nil, product, b.weights(name+".bias", b.Width*b.Width, out))
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
