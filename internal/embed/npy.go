package embed

import (
	"encoding/binary"
	"fmt"
	"math"
	"regexp"
	"strconv"

	"moderator/internal/half"
)

// npyHeader matches the dictionary that numpy.save writes for a plain C-ordered matrix
// (numpy.lib.format, "Format Version 1.0").
var npyHeader = regexp.MustCompile(`^\{'descr': '(<f2|<f4)', 'fortran_order': False, 'shape': \((\d+), (\d+)\), \} *\n$`)

// parseNPY parses a NumPy file with a [rows, cols] matrix of little-endian float16 or float32, row-major.
func parseNPY(data []byte) (rows, cols int, values []float32, err error) {
	const wanted = "wanted a NumPy file with a matrix [K, D] of float16 or float32, little-endian, C order"
	if len(data) < 10 || string(data[:6]) != "\x93NUMPY" {
		return 0, 0, nil, fmt.Errorf("not a NumPy file: %s", wanted)
	}
	var head, start int
	switch data[6] {
	case 1:
		head, start = int(binary.LittleEndian.Uint16(data[8:])), 10
	case 2, 3:
		if len(data) < 12 {
			return 0, 0, nil, fmt.Errorf("the header is truncated: %s", wanted)
		}
		head, start = int(binary.LittleEndian.Uint32(data[8:])), 12
	default:
		return 0, 0, nil, fmt.Errorf("NumPy format version %d: %s", data[6], wanted)
	}
	if head > len(data)-start {
		return 0, 0, nil, fmt.Errorf("the header is truncated: %s", wanted)
	}
	header := data[start : start+head]
	m := npyHeader.FindSubmatch(header)
	if m == nil {
		return 0, 0, nil, fmt.Errorf("it holds %s: %s", header, wanted)
	}
	rows, err = strconv.Atoi(string(m[2]))
	if err == nil {
		cols, err = strconv.Atoi(string(m[3]))
	}
	if err != nil || rows < 1 || cols < 1 || rows > 1<<24 || cols > 1<<16 {
		return 0, 0, nil, fmt.Errorf("shape (%s, %s): %s", m[2], m[3], wanted)
	}
	body := data[start+head:]
	width := int(m[1][2] - '0')
	if len(body) != rows*cols*width {
		return 0, 0, nil, fmt.Errorf("it has %d bytes of numbers, wanted %d (%d×%d of %s): copy the file again", len(body), rows*cols*width, rows, cols, m[1])
	}
	values = make([]float32, rows*cols)
	for i := range values {
		if width == 2 {
			values[i] = half.ToFloat(binary.LittleEndian.Uint16(body[2*i:]))
		} else {
			values[i] = math.Float32frombits(binary.LittleEndian.Uint32(body[4*i:]))
		}
	}
	return rows, cols, values, nil
}
