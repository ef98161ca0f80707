package imaging

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
)

// bitmap is the header of a BMP: of Windows with 40 to 124 bytes ([MS-WMF] 2.2.2.3 and BITMAPV5HEADER), or of OS/2 with 12
// or 16 to 64 bytes. This package decodes BMP itself: libvips would use ImageMagick, which must not read hostile files.
type bitmap struct {
	width, height int
	topDown       bool
	depth         int // bits per pixel: 1, 2, 4, 8, 16, 24 or 32
	packing       packing
	palette       []byte    // 4 bytes for each colour: blue, green, red, unused
	masks         [4]uint32 // red, green, blue, alpha; of pixels with 16 and 32 bits
	pixels        []byte
}

type packing int

const (
	packedNot packing = iota
	packedRLE8
	packedRLE4
	packedRLE24
)

var errShortBitmap = errors.New("the header is truncated")

// readBitmap reads the header. The caller checks the limits.
func (s *source) readBitmap() error {
	b := &bitmap{}
	coloured, err := b.read(s.data)
	if errors.Is(err, ErrUnsupported) {
		return err
	}
	if err != nil {
		return fmt.Errorf("%w: bmp: %w", ErrUndecodable, err)
	}
	s.bitmap, s.width, s.height = b, b.width, b.height
	if b.masks[3] != 0 || b.packing != packedNot || coloured.profile != nil || coloured.space != nil {
		// Browsers apply alpha, skipped pixels and the colour space. Other viewers ignore all three.
		s.looks = []look{{opaque: true}, coloured}
	}
	return nil
}

// read parses the header and returns the look by its colour space.
func (b *bitmap) read(file []byte) (l look, err error) {
	if len(file) < 14+12 {
		return l, errShortBitmap
	}
	header := file[14:]
	size := int(binary.LittleEndian.Uint32(header))
	if size > len(header) || size < 12 {
		return l, errShortBitmap
	}
	compression, colours, entry := uint32(0), 0, 4
	if size == 12 {
		b.width, b.height = int(binary.LittleEndian.Uint16(header[4:])), int(binary.LittleEndian.Uint16(header[6:]))
		b.depth, entry = int(binary.LittleEndian.Uint16(header[10:])), 3
	} else {
		var whole [124]byte // OS/2's header may end after any field; the rest is 0
		copy(whole[:], header[:size])
		header32 := func(at int) uint32 { return binary.LittleEndian.Uint32(whole[at:]) }
		b.width, b.height = int(int32(header32(4))), int(int32(header32(8)))
		b.depth = int(binary.LittleEndian.Uint16(whole[14:]))
		compression = header32(16)
		colours = int(min(header32(32), 256))
		if size >= 108 {
			l = bitmapLook(whole[:], header)
		}
	}
	if b.topDown = b.height < 0; b.topDown {
		b.height = -b.height
	}
	at := 14 + size
	if err := b.unpack(compression, size, file, &at); err != nil {
		return l, err
	}
	if b.depth <= 8 {
		if colours == 0 || colours > 1<<b.depth {
			colours = 1 << b.depth
		}
		b.readPalette(file, at, colours, entry)
	}
	start := uint64(binary.LittleEndian.Uint32(file[10:]))
	if start < uint64(14+size) || start > uint64(len(file)) {
		return l, fmt.Errorf("the pixels begin at byte %d of %d", start, len(file))
	}
	b.pixels = file[start:]
	return l, nil
}

// unpack reads the packing of pixels and their colour masks. It advances at past masks that follow the header.
func (b *bitmap) unpack(compression uint32, size int, file []byte, at *int) error {
	const plain, rle8, rle4, bitfields, alphaBitfields = 0, 1, 2, 3, 6
	os2 := size <= 64 && size != 40 && size != 52 && size != 56
	fields := bitfieldsOf(compression, os2)
	switch {
	case compression == plain:
		b.masks = map[int][4]uint32{16: {0x7c00, 0x3e0, 0x1f}, 32: {0xff0000, 0xff00, 0xff}}[b.depth]
	case compression == rle8 && b.depth == 8:
		b.packing = packedRLE8
	case compression == rle4 && b.depth == 4:
		b.packing = packedRLE4
	case compression == 4 && os2 && b.depth == 24:
		b.packing = packedRLE24
	case fields > 0 && (b.depth == 16 || b.depth == 32):
		from := 14 + 40
		if size == 40 {
			*at += 4 * fields
		} else if size >= 56 {
			fields = 4
		}
		if from+4*fields > len(file) {
			return errShortBitmap
		}
		for i := range fields {
			b.masks[i] = binary.LittleEndian.Uint32(file[from+4*i:])
		}
		for _, mask := range b.masks {
			if mask != 0 && bits.Len32(mask)-bits.TrailingZeros32(mask) != bits.OnesCount32(mask) {
				return fmt.Errorf("the mask %#x has gaps", mask)
			}
		}
	default:
		return fmt.Errorf("%w: a BMP of %d bits with compression %d", ErrUnsupported, b.depth, compression)
	}
	switch b.depth {
	case 1, 2, 4, 8, 16, 24, 32:
		return nil
	}
	return fmt.Errorf("%w: a BMP of %d bits", ErrUnsupported, b.depth)
}

// bitfieldsOf returns the number of masks after a header of 40 bytes. OS/2 gives these compression numbers other meanings.
func bitfieldsOf(compression uint32, os2 bool) int {
	switch {
	case os2:
		return 0
	case compression == 3:
		return 3
	case compression == 6:
		return 4
	}
	return 0
}

// readPalette reads the colours before the pixels. Missing colours are black.
func (b *bitmap) readPalette(file []byte, at, colours, entry int) {
	b.palette = make([]byte, 4<<b.depth)
	end := int(min(uint64(binary.LittleEndian.Uint32(file[10:])), uint64(len(file))))
	for i := 0; i < colours && at+entry <= end; i++ {
		copy(b.palette[4*i:4*i+3], file[at:at+3])
		at += entry
	}
}

func (s *source) openBitmap(l look) (*handle, error) {
	pixels, err := s.bitmap.decode()
	if err != nil {
		return nil, err
	}
	if l.opaque {
		for i := 3; i < len(pixels); i += 4 {
			pixels[i] = 255
		}
	}
	return wrapRGBA(pixels, s.width, s.height)
}
