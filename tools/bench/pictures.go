package main

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"

	"golang.org/x/image/draw"

	"moderator/internal/synth"
)

// pictures are JPEG files of one size.
type pictures struct {
	name          string
	width, height int
	wanted        int // approximate size of a file in bytes
	files         [][]byte
}

// sizes are those of a phone's camera, of a picture made for the web, and of a thumbnail.
func sizes() []pictures {
	return []pictures{
		{name: "12mp", width: 4000, height: 3000, wanted: 2_900_000},
		{name: "1mp", width: 1152, height: 864, wanted: 303_000},
		{name: "0.17mp", width: 476, height: 357, wanted: 66_000},
	}
}

const (
	perSize    = 6
	drawSeed   = 11
	drawWidth  = 1024
	drawHeight = 768
)

// drawPictures draws scenes, scales them to each size and adds a sensor's grain, so that large files take as long to decode as
// photographs.
func drawPictures() ([]pictures, error) {
	all := sizes()
	scenes := make([]image.Image, perSize)
	onCores(perSize, func(i int) { scenes[i] = synth.Draw(drawSeed, scenic(i), drawWidth, drawHeight) })
	for k := range all {
		p := &all[k]
		if err := p.photograph(scenes); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// scenic returns the number of the i-th picture without a plain border. A picture with a border has a trimmed view, which
// would take another embedding.
func scenic(i int) int {
	fills := map[synth.Kind]bool{synth.Landscape: true, synth.Leaves: true, synth.StillLife: true, synth.Street: true, synth.Room: true}
	for n := 0; ; n++ {
		if fills[synth.KindOf(n)] {
			if i == 0 {
				return n
			}
			i--
		}
	}
}

// photograph makes the files. Their quality, of 50 to 95, is the one whose first file is nearest below the wanted size.
func (p *pictures) photograph(scenes []image.Image) error {
	first := p.expose(scenes[0], 0)
	low, high := 50, 95
	for high-low > 1 {
		quality := (low + high) / 2
		file, err := encode(first, quality)
		if err != nil {
			return err
		}
		if len(file) > p.wanted {
			high = quality
		} else {
			low = quality
		}
	}
	p.files = make([][]byte, len(scenes))
	errs := make([]error, len(scenes))
	onCores(len(scenes), func(i int) { p.files[i], errs[i] = encode(p.expose(scenes[i], uint64(i)), low) })
	return errors.Join(errs...)
}

func encode(picture image.Image, quality int) ([]byte, error) {
	var file bytes.Buffer
	err := jpeg.Encode(&file, picture, &jpeg.Options{Quality: quality})
	return file.Bytes(), err
}

// expose returns the scene in the picture's size, with grain and subsampled colour.
func (p *pictures) expose(scene image.Image, seed uint64) image.Image {
	large := image.NewRGBA(image.Rect(0, 0, p.width, p.height))
	draw.ApproxBiLinear.Scale(large, large.Rect, scene, scene.Bounds(), draw.Src, nil)
	picture := image.NewYCbCr(large.Rect, image.YCbCrSubsampleRatio420)
	random := rand.New(rand.NewPCG(seed, 3))
	for y := range p.height {
		row := large.Pix[y*large.Stride : (y+1)*large.Stride]
		for x := range p.width {
			luma, cb, cr := color.RGBToYCbCr(row[4*x], row[4*x+1], row[4*x+2])
			bits := random.Uint32()
			noise := int(bits&7) + int(bits>>8&7) - 7 // triangular, -7 to 7
			picture.Y[y*picture.YStride+x] = uint8(min(255, max(0, int(luma)+noise)))
			if x&y&1 == 0 {
				at := picture.COffset(x, y)
				picture.Cb[at], picture.Cr[at] = cb, cr
			}
		}
	}
	return picture
}
