package sandbox

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"moderator/internal/imaging"
)

// settings are sent to a worker at its start. Each request after them is the length of the file in shared memory.
type settings struct {
	Request   imaging.Request
	MaxMemory int64 // bytes
	CPUTime   int64 // seconds for one picture
}

// greeting is a worker's first answer: what confines it.
type greeting struct {
	InForce []string
	Missing []string
}

// Values of greeting.
const (
	confinedLimits = "limits of memory, CPU time and file size"
	confinedFiles  = "landlock: reads below /usr and /lib only"
	confinedRights = "no capabilities"
	confinedCalls  = "seccomp: no network, no programs, no writable files"
)

const (
	maxFrame = 1 << 20 // bytes of one document
	maxWords = 200     // bytes of a worker's text that errors repeat
)

func writeLength(w io.Writer, length int) error {
	_, err := w.Write(binary.LittleEndian.AppendUint32(nil, uint32(length)))
	return err
}

func readLength(r io.Reader, most int64) (int, error) {
	var length [4]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return 0, err
	}
	n := binary.LittleEndian.Uint32(length[:])
	if int64(n) > most {
		return 0, fmt.Errorf("the announced length is %d bytes, wanted at most %d", n, most)
	}
	return int(n), nil
}

// writeJSON writes a document after its length, in one call.
func writeJSON(w io.Writer, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	frame := binary.LittleEndian.AppendUint32(make([]byte, 0, 4+len(data)), uint32(len(data)))
	_, err = w.Write(append(frame, data...))
	return err
}

func readJSON(r io.Reader, value any) error {
	length, err := readLength(r, maxFrame)
	if err != nil {
		return err
	}
	data := make([]byte, length)
	if _, err := io.ReadFull(r, data); err != nil {
		return err
	}
	return json.Unmarshal(data, value)
}

// faults are the errors that a file can cause, by name.
var faults = map[string]error{
	"undecodable": imaging.ErrUndecodable,
	"unsupported": imaging.ErrUnsupported,
	"too large":   imaging.ErrTooLarge,
}

// failure returns the answer for an error.
func failure(err error) answer {
	for name, kind := range faults {
		if errors.Is(err, kind) {
			return answer{Fault: name, Error: err.Error()}
		}
	}
	return answer{Error: err.Error()}
}

// fault is an error of imaging.Decode in the worker. kind is nil if the file did not cause it.
type fault struct {
	kind error
	text string
}

func (a *answer) fault() error {
	return &fault{faults[a.Fault], a.Error[:min(len(a.Error), 2*maxWords)]}
}

func (f *fault) Error() string { return f.text }

func (f *fault) Unwrap() error { return f.kind }
