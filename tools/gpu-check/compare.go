package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"moderator/internal/embed"
	"moderator/internal/synth"
	"moderator/models"
	"moderator/tools/internal/vit"
)

// The wanted cosines to the CPU. In the shipped model, which has 8-bit integers between its layers, a last bit that is rounded
// the other way moves some pictures' vectors: on the CPU alone, fused and unfused operators differ by 0.99965. Weights of
// float16 have 11 bits, and their errors add up over twelve layers.
const (
	wantedCosine    = 0.99998
	leastInt8Cosine = 0.9995
	leastHalfCosine = 0.999
)

const seed = 5

// comparison is one model on the provider and on the CPU.
type comparison struct {
	name    string
	files   fs.FS
	onCPU   fs.FS // the same model in another precision; nil: files
	batches []int
	devices []int
	median  float32 // wanted of the cosines
	least   float32
}

// software devices of Vulkan are as slow as the CPU: they get the large model one picture at a time.
func (c *checker) software() bool {
	return slices.ContainsFunc(c.devices, func(name string) bool {
		return strings.Contains(name, "llvmpipe") || strings.Contains(name, "SwiftShader")
	})
}

func (c *checker) compare(ctx context.Context) error {
	batches, large := []int{1, 2, 3, 5, 8, 13, 21, 34, 55, 64}, []int{1, 32}
	if c.software() {
		large = []int{1}
	}
	full := vit.B32.Folder("gpu-check/vit-b32", seed, vit.Float32)
	all := []comparison{
		{name: "copydetect", files: models.CopyDetect(), batches: batches, median: wantedCosine, least: leastInt8Cosine},
		{name: "ViT-B/32", files: full, batches: large, median: wantedCosine, least: wantedCosine},
		{name: "ViT-B/32 in float16", files: vit.B32.Folder("gpu-check/vit-b32-fp16", seed, vit.Float16), onCPU: full, batches: large, median: leastHalfCosine, least: leastHalfCosine},
	}
	if len(c.devices) > 1 && c.Provider != "webgpu" { // which chooses its device itself
		all = append(all, comparison{name: "copydetect on two devices", files: models.CopyDetect(), batches: batches, devices: []int{0, 1}, median: wantedCosine, least: leastInt8Cosine})
	}
	for _, one := range all {
		if err := c.compareOne(ctx, one); err != nil {
			return fmt.Errorf("%s: %w", one.name, err)
		}
	}
	return nil
}

// compareOne prints the least cosine of all batches, and the speed of the largest.
func (c *checker) compareOne(ctx context.Context, one comparison) (err error) {
	largest := slices.Max(one.batches)
	pictures, want, err := one.reference(ctx, largest)
	if err != nil {
		return err
	}
	folder, err := embed.LoadFS(one.files)
	if err != nil {
		return err
	}
	began := time.Now()
	model, err := embed.Open(ctx, folder, embed.Options{Provider: c.Provider, DeviceIDs: one.devices, MaxBatch: largest})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, model.Close()) }()
	ready := time.Since(began)
	var cosines []float32
	speed := 0.0
	for _, n := range one.batches {
		began := time.Now()
		got, err := model.Embed(ctx, pictures[:n])
		if err != nil {
			return err
		}
		speed = float64(n) / time.Since(began).Seconds()
		for i, v := range got {
			cosines = append(cosines, product(v, want[i]))
		}
	}
	slices.Sort(cosines)
	median, least := cosines[len(cosines)/2], cosines[0]
	fmt.Fprintf(c.stdout, "gpu-check: %s, batches of %v: cosine to the CPU median %.6f, least %.6f; ready after %.1f s, %.0f pictures a second\n",
		one.name, one.batches, median, least, ready.Seconds(), speed)
	if least < one.least || median < one.median {
		return fmt.Errorf("cosines to the CPU's vectors: median %.6f, least %.6f, wanted at least %g and %g", median, least, one.median, one.least)
	}
	return nil
}

// reference returns n pictures, and their vectors on the CPU.
func (one comparison) reference(ctx context.Context, n int) (pictures [][]byte, vectors [][]float32, err error) {
	files := one.onCPU
	if files == nil {
		files = one.files
	}
	folder, err := embed.LoadFS(files)
	if err != nil {
		return nil, nil, err
	}
	model, err := embed.Open(ctx, folder, embed.Options{Provider: "cpu"})
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, model.Close()) }()
	width, height := folder.Target().Size()
	pictures = make([][]byte, n)
	for i := range pictures {
		pictures[i] = picture(i, width, height)
	}
	vectors, err = model.Embed(ctx, pictures)
	return pictures, vectors, err
}

// picture is the RGB pixels of a drawn picture.
func picture(number, width, height int) []byte {
	drawn, rgb := synth.Draw(seed, number, width, height), make([]byte, 0, 3*width*height)
	for i := 0; i < len(drawn.Pix); i += 4 {
		rgb = append(rgb, drawn.Pix[i:i+3]...)
	}
	return rgb
}

// product is the cosine of two vectors of length 1.
func product(a, b []float32) (sum float32) {
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}
