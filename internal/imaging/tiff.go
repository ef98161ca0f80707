package imaging

import (
	"encoding/binary"
	"fmt"
)

// tiffReader reads numbers of a TIFF (TIFF 6.0, section 2; BigTIFF has offsets and counts of 8 bytes).
type tiffReader struct {
	data  []byte
	order binary.ByteOrder
	big   bool
}

// number reads an unsigned integer of size bytes. ok is false beyond the end of the file.
func (t tiffReader) number(at uint64, size int) (n uint64, ok bool) {
	if at > uint64(len(t.data)) || uint64(len(t.data))-at < uint64(size) {
		return 0, false
	}
	switch b := t.data[at:]; size {
	case 2:
		return uint64(t.order.Uint16(b)), true
	case 4:
		return uint64(t.order.Uint32(b)), true
	default:
		return t.order.Uint64(b), true
	}
}

const tagPhotometric = 262

// directory reads a page's directory: the offset of the next one, and the photometric interpretation (tag 262).
func (t tiffReader) directory(at uint64) (next, photometric uint64, ok bool) {
	count, entry, offset := 2, 12, 4
	if t.big {
		count, entry, offset = 8, 20, 8
	}
	n, ok := t.number(at, count)
	if !ok || n > uint64(len(t.data))/uint64(entry) {
		return 0, 0, false
	}
	first := at + uint64(count)
	for i := range n {
		tag := first + i*uint64(entry)
		if id, _ := t.number(tag, 2); id == tagPhotometric {
			photometric, _ = t.number(tag+uint64(entry-offset), 2) // a short at the beginning of its field
		}
	}
	next, ok = t.number(first+n*uint64(entry), offset)
	return next, photometric, ok
}

// countPages counts the pages of a TIFF. It refuses circular lists of pages, on which libtiff takes long, and colours that
// libvips misinterprets.
func countPages(data []byte) (int, error) {
	t := tiffReader{data: data, order: binary.LittleEndian}
	if data[0] == 'M' {
		t.order = binary.BigEndian
	}
	at, size := uint64(4), 4
	if version, _ := t.number(2, 2); version == 43 {
		t.big, at, size = true, 8, 8
	}
	at, _ = t.number(at, size)
	seen := map[uint64]bool{}
	for at != 0 {
		if seen[at] {
			return 0, fmt.Errorf("%w: tiff: the list of pages is circular", ErrUndecodable)
		}
		next, photometric, ok := t.directory(at)
		if !ok {
			return 0, fmt.Errorf("%w: tiff: page %d begins at byte %d of %d", ErrUndecodable, len(seen)+1, at, len(data))
		}
		seen[at] = true
		if len(seen) > maxListed {
			return 0, tooManyFrames(formatTIFF, len(seen))
		}
		const iccLab, ituLab = 9, 10
		if photometric == iccLab || photometric == ituLab {
			return 0, fmt.Errorf("%w: tiff: page %d has photometric interpretation %d (ICC Lab or ITU Lab)", ErrUnsupported, len(seen), photometric)
		}
		at = next
	}
	return max(1, len(seen)), nil
}

// readPages reads the headers of the pages to be rendered. Pages may differ in size and colours.
func (s *source) readPages(limits Limits, need int) error {
	s.pages = map[int]*source{}
	for _, index := range spread(s.frames, limits.MaxFrames) {
		page := &source{format: s.format, data: s.data, frames: 1, looks: []look{{}}, how: opening{page: index}}
		s.pages[index] = page
		if err := page.readHeader(limits, need); err != nil {
			return fmt.Errorf("page %d: %w", index+1, err)
		}
	}
	return nil
}

// pageCanvases is canvases for pages.
func (s *source) pageCanvases(indices []int, need int, visit func(index int, c *canvas) error) error {
	for _, index := range indices {
		err := s.pages[index].canvases([]int{0}, need, 0, func(rendering int, c *canvas) error {
			return visit(index+rendering*s.frames, c)
		})
		if err != nil {
			return fmt.Errorf("page %d: %w", index+1, err)
		}
	}
	return nil
}
