package imaging

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

var errShortPixels = errors.New("the pixels are truncated")

// decode returns the pixels as straight RGBA, rows from the top.
func (b *bitmap) decode() ([]byte, error) {
	stride := (b.width*b.depth + 31) / 32 * 4
	if needed := stride*(b.height-1) + (b.width*b.depth+7)/8; b.packing == packedNot && needed > len(b.pixels) {
		return nil, errShortPixels
	}
	out := make([]byte, 4*b.width*b.height)
	if b.packing != packedNot {
		return out, b.decodeRLE(out)
	}
	seen := b.masks[3] == 0
	for y := range b.height {
		in := b.pixels[min(y*stride, len(b.pixels)):min((y+1)*stride, len(b.pixels))]
		row := b.row(out, y)
		switch {
		case b.depth <= 8:
			b.indexed(row, in)
		case b.depth == 24:
			for x := range b.width {
				row[4*x], row[4*x+1], row[4*x+2], row[4*x+3] = in[3*x+2], in[3*x+1], in[3*x], 255
			}
		default:
			seen = b.masked(row, in) || seen
		}
	}
	if !seen { // alpha is 0 everywhere: the writer left it unused
		for i := 3; i < len(out); i += 4 {
			out[i] = 255
		}
	}
	return out, nil
}

// row returns the row of out for the file's row y.
func (b *bitmap) row(out []byte, y int) []byte {
	if !b.topDown {
		y = b.height - 1 - y
	}
	return out[4*b.width*y : 4*b.width*(y+1)]
}

func (b *bitmap) indexed(row, in []byte) {
	for x := range b.width {
		bit := x * b.depth
		index := in[bit/8] >> (8 - b.depth - bit%8) & (1<<b.depth - 1)
		b.paint(row[4*x:], index)
	}
}

// paint sets a pixel to a colour of the palette.
func (b *bitmap) paint(pixel []byte, index byte) {
	colour := b.palette[4*int(index):]
	pixel[0], pixel[1], pixel[2], pixel[3] = colour[2], colour[1], colour[0], 255
}

// masked reports whether any alpha was not 0.
func (b *bitmap) masked(row, in []byte) (seen bool) {
	fields := [4]field{}
	for i, mask := range b.masks {
		fields[i] = fieldOf(mask)
	}
	for x := range b.width {
		var value uint32
		if b.depth == 16 {
			value = uint32(binary.LittleEndian.Uint16(in[2*x:]))
		} else {
			value = binary.LittleEndian.Uint32(in[4*x:])
		}
		pixel := row[4*x : 4*x+4 : 4*x+4]
		for i, f := range fields {
			pixel[i] = f.of(value)
		}
		if b.masks[3] == 0 {
			pixel[3] = 255
		}
		seen = seen || pixel[3] != 0
	}
	return seen
}

// field is the position of a mask's bits in a pixel.
type field struct {
	shift int
	most  uint32 // the greatest value; 0 for an empty mask
}

func fieldOf(mask uint32) field {
	if mask == 0 {
		return field{}
	}
	shift := bits.TrailingZeros32(mask)
	return field{shift, mask >> shift}
}

// of scales the field's value to 0 to 255.
func (f field) of(value uint32) byte {
	if f.most == 0 {
		return 0
	}
	return byte((uint64(value>>f.shift&f.most)*255 + uint64(f.most)/2) / uint64(f.most))
}
