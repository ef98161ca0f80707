package sandbox

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"moderator/internal/imaging"
)

// settings are what a worker is told at its start.
type settings struct {
	Request   imaging.Request
	MaxMemory int64 // bytes
	CPUTime   int64 // seconds, a picture
}

// greeting is a worker's first word: what confines it.
type greeting struct {
	InForce []string
	Missing []string
}

// header goes before the pixels of a decoded picture.
type header struct {
	Fault   string // name of the sentinel that the error wraps; empty with a result
	Error   string
	Result  imaging.Result // without pixels
	Lengths []int          // of each view's pixels and gray plane, in order
}

// maxFrame bounds a JSON frame; pixels are bounded by what was asked for.
const maxFrame = 1 << 20

func writeFrame(w io.Writer, data []byte) error {
	if err := binary.Write(w, binary.LittleEndian, uint32(len(data))); err != nil {
		return err
	}
	_, err := w.Write(data)
	return err
}

func readFrame(r io.Reader, most int64) ([]byte, error) {
	var length uint32
	if err := binary.Read(r, binary.LittleEndian, &length); err != nil {
		return nil, err
	}
	if int64(length) > most {
		return nil, fmt.Errorf("a frame of %d bytes, wanted at most %d", length, most)
	}
	data := make([]byte, length)
	_, err := io.ReadFull(r, data)
	return data, err
}

func writeJSON(w io.Writer, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return writeFrame(w, data)
}

func readJSON(r io.Reader, value any) error {
	data, err := readFrame(r, maxFrame)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, value)
}

// faults are the errors that are the file's, by name.
var faults = map[string]error{
	"undecodable": imaging.ErrUndecodable,
	"unsupported": imaging.ErrUnsupported,
	"too large":   imaging.ErrTooLarge,
}

// fault is a file's error as the worker told it.
type fault struct {
	kind error
	text string
}

func (f *fault) Error() string { return f.text }

func (f *fault) Unwrap() error { return f.kind }

// writeResult sends a decoded picture, or why there is none.
func writeResult(w io.Writer, result *imaging.Result, err error) error {
	if err != nil {
		return writeJSON(w, header{Fault: faultName(err), Error: err.Error()})
	}
	h := header{Result: *result}
	var planes [][]byte
	h.Result.Frames = make([]imaging.Frame, len(result.Frames))
	for i, frame := range result.Frames {
		h.Result.Frames[i] = imaging.Frame{Index: frame.Index, Views: make([]imaging.Rendered, len(frame.Views))}
		for j, view := range frame.Views {
			h.Result.Frames[i].Views[j].View = view.View
			for _, pixels := range view.Pixels {
				planes = append(planes, pixels)
				h.Lengths = append(h.Lengths, len(pixels))
			}
		}
	}
	if err := writeJSON(w, h); err != nil {
		return err
	}
	for _, plane := range planes {
		if _, err := w.Write(plane); err != nil {
			return err
		}
	}
	return nil
}

func faultName(err error) string {
	for name, kind := range faults {
		if errors.Is(err, kind) {
			return name
		}
	}
	return "installation"
}

// readResult takes a picture from a worker: no more frames, views and bytes than were asked for.
func readResult(r io.Reader, asked imaging.Request) (*imaging.Result, error) {
	var h header
	if err := readJSON(r, &h); err != nil {
		return nil, err
	}
	if h.Error != "" {
		if kind, ok := faults[h.Fault]; ok {
			return nil, &fault{kind, h.Error}
		}
		return nil, &installationError{h.Error}
	}
	if len(h.Result.Frames) > asked.Limits.MaxFrames {
		return nil, fmt.Errorf("the worker sent %d frames, wanted at most %d", len(h.Result.Frames), asked.Limits.MaxFrames)
	}
	for i := range h.Result.Frames {
		views := h.Result.Frames[i].Views
		if len(views) > len(asked.Views) {
			return nil, fmt.Errorf("the worker sent %d views, wanted at most %d", len(views), len(asked.Views))
		}
		for j := range views {
			views[j].Pixels = make([][]byte, len(asked.Targets))
			for k, target := range asked.Targets {
				width, height := target.Size()
				if len(h.Lengths) == 0 || h.Lengths[0] != 3*width*height {
					return nil, fmt.Errorf("the worker sent pixels of lengths %v, wanted %d", h.Lengths, 3*width*height)
				}
				h.Lengths = h.Lengths[1:]
				views[j].Pixels[k] = make([]byte, 3*width*height)
				if _, err := io.ReadFull(r, views[j].Pixels[k]); err != nil {
					return nil, err
				}
			}
		}
	}
	return &h.Result, nil
}

// installationError is one that no other worker would escape.
type installationError struct{ text string }

func (e *installationError) Error() string { return e.text }
