package imaging

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// apng is an animated PNG (PNG specification, third edition, section 13). The decoder gets each frame as a still PNG; play
// composes the frames.
type apng struct {
	header, shared []byte
	still          []pngChunk // the default image if it is not a frame: viewers without animation show it
	frames         []apngFrame
}

type apngFrame struct {
	left, top, width, height int
	dispose, blend           byte
	parts                    []pngChunk // IDAT, or fdAT with a sequence number before its data
}

// maxParts bounds the chunks of an animation. Listing many tiny chunks would cost more memory than the file.
const maxParts = 100_000

const (
	disposeBackground, disposePrevious = 1, 2
	blendOver                          = 1
)

// animation returns nil for a still PNG. It refuses a faulty animation, because browsers differ on what they show of it.
func (o *pngOutline) animation() (*apng, error) {
	if len(o.control) == 0 || o.header == nil {
		return nil, nil
	}
	a := &apng{header: o.header, shared: o.shared}
	width, height := int(binary.BigEndian.Uint32(o.header)), int(binary.BigEndian.Uint32(o.header[4:]))
	sequence, fault := 0, ""
	for _, c := range append(o.control, o.frames...) {
		if !c.intact() {
			fault = c.kind + " has a wrong checksum"
		}
	}
	numbered := func(c pngChunk) bool {
		ok := len(c.data) >= 4 && binary.BigEndian.Uint32(c.data) == uint32(sequence)
		sequence++
		return ok
	}
	for _, c := range o.frames {
		switch {
		case c.kind == "IDAT" && len(a.frames) == 0:
			a.still = append(a.still, c)
		case c.kind == "IDAT":
			a.add(c)
		case !numbered(c):
			fault = c.kind + " is out of sequence"
		case c.kind == "fdAT" && len(a.frames) == 0:
			fault = "fdAT stands before the first frame"
		case c.kind == "fdAT":
			a.add(c)
		default:
			f, ok := frameOf(c.data, width, height)
			if !ok {
				fault = "a frame exceeds the picture"
			}
			a.frames = append(a.frames, f)
		}
	}
	wanted := -1
	if control := o.control[0].data; len(o.control) == 1 && len(control) == 8 {
		wanted = int(binary.BigEndian.Uint32(control))
	}
	if len(a.frames) != wanted {
		fault = fmt.Sprintf("%d frames, its control chunk says %d", len(a.frames), wanted)
	}
	for _, f := range a.frames {
		if len(f.parts) == 0 {
			fault = "a frame without pixels"
		}
	}
	switch {
	case len(o.frames) > maxParts:
		return nil, fmt.Errorf("%w: an animated PNG of more than %d chunks", ErrTooLarge, maxParts)
	case wanted == 0 && len(a.frames) == 0: // a still picture, by the specification
		return nil, nil
	case fault != "":
		return nil, fmt.Errorf("%w: an animated PNG: %s", ErrUndecodable, fault)
	case a.frameCount() > maxListed:
		return nil, tooManyFrames("png", a.frameCount())
	}
	return a, nil
}

func (a *apng) add(c pngChunk) {
	last := &a.frames[len(a.frames)-1]
	last.parts = append(last.parts, c)
}

// frameCount includes, as the last one, a default image that is not a frame.
func (a *apng) frameCount() int { return len(a.frames) + min(1, len(a.still)) }

// frameOf parses the data of an fcTL chunk.
func frameOf(data []byte, width, height int) (f apngFrame, ok bool) {
	if len(data) != 26 {
		return f, false
	}
	field := func(i int) int { return int(binary.BigEndian.Uint32(data[4*i:])) }
	f = apngFrame{width: field(1), height: field(2), left: field(3), top: field(4), dispose: data[24], blend: data[25]}
	ok = f.width > 0 && f.height > 0 && f.left+f.width <= width && f.top+f.height <= height &&
		f.dispose <= disposePrevious && f.blend <= blendOver
	return f, ok
}

// play decodes the frames up to the last index and passes those at the ascending indices to visit, which must not keep them.
func (a *apng) play(indices []int, width, height int, visit func(index int, in *handle) error) error {
	shown := rgba{make([]byte, 4*width*height), width}
	lend := func(index int, pixels []byte) error {
		in, err := wrapRGBA(pixels, width, height)
		if err != nil {
			return err
		}
		defer in.close()
		return visit(index, in)
	}
	for index, f := range a.frames {
		if len(indices) == 0 {
			return nil
		}
		pixels, err := a.decode(f.width, f.height, f.parts)
		if err != nil {
			return fmt.Errorf("frame %d: %w", index, err)
		}
		before := shown
		if f.dispose == disposePrevious && index > 0 {
			before.pix = append([]byte(nil), shown.pix...)
		}
		shown.draw(f, pixels.pix)
		pixels.release()
		if index == indices[0] {
			if err := lend(index, shown.pix); err != nil {
				return err
			}
			indices = indices[1:]
		}
		switch {
		case f.dispose == disposePrevious && index > 0:
			shown = before
		case f.dispose != 0: // before the first frame, the canvas was empty
			shown.clear(f)
		}
	}
	if len(indices) == 0 {
		return nil
	}
	pixels, err := a.decode(width, height, a.still)
	if err != nil {
		return fmt.Errorf("default image: %w", err)
	}
	defer pixels.release()
	return lend(indices[0], pixels.pix)
}

// decode makes a still PNG of one frame's parts and returns its pixels as straight RGBA.
func (a *apng) decode(width, height int, parts []pngChunk) (plane, error) {
	header := append([]byte(nil), a.header...)
	binary.BigEndian.PutUint32(header, uint32(width))
	binary.BigEndian.PutUint32(header[4:], uint32(height))
	file := appendChunk([]byte(pngSignature), "IHDR", header)
	file = append(file, a.shared...)
	for _, c := range parts {
		data := c.data
		if c.kind == "fdAT" {
			data = data[4:]
		}
		file = appendChunk(file, "IDAT", data)
	}
	file = appendChunk(file, "IEND", nil)

	in, err := open(formatPNG, file, opening{shrink: 1, scale: 1})
	if err != nil {
		return plane{}, err
	}
	defer in.close()
	straight, err := in.straight()
	if err != nil {
		return plane{}, err
	}
	defer straight.close()
	return straight.pixels()
}

func appendChunk(file []byte, kind string, data []byte) []byte {
	file = binary.BigEndian.AppendUint32(file, uint32(len(data)))
	file = append(append(file, kind...), data...)
	return binary.BigEndian.AppendUint32(file, crc32.ChecksumIEEE(file[len(file)-len(data)-4:]))
}
