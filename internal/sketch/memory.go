package sketch

import (
	"unsafe"

	"github.com/google/uuid"

	"moderator/internal/hugepage"
)

// layout is how many rows a segment has room for, and its memory, which is of huge pages: small ones take a quarter of the time in
// which rows that lie anywhere are looked at.
type layout struct {
	dims       int
	groups     int // of eight numbers, up to a multiple of atOnce
	perSegment int
	bytes      int // of a segment
}

// fewestRows are what a segment has room for at least.
const fewestRows = 6000

func layoutOf(dims int) layout {
	groups := (dims + 8*atOnce - 1) / (8 * atOnce) * atOnce
	perRow := 16 + groups + 4 + 4 + dims + 4 // the fields of segment
	bytes := (fewestRows*perRow + hugepage.Size - 1) / hugepage.Size * hugepage.Size
	return layout{dims, groups, bytes / perRow / block * block, bytes}
}

// BytesOf is the memory, in bytes, that a vector of so many numbers takes in a set of many.
func BytesOf(dims int) int64 {
	l := layoutOf(dims)
	return int64((l.bytes + l.perSegment - 1) / l.perSegment)
}

// newSegment is a segment of zeros. Its memory is given back when nothing refers to the segment, and its slices do not.
func (l layout) newSegment() *segment {
	memory := hugepage.Make[byte](l.bytes)
	rest := memory.Values
	return &segment{
		memory:  memory,
		ids:     column[uuid.UUID](&rest, l.perSegment),
		signs:   column[byte](&rest, l.perSegment*l.groups),
		factors: column[float32](&rest, l.perSegment),
		offsets: column[float32](&rest, l.perSegment),
		codes:   column[int8](&rest, l.perSegment*l.dims),
		steps:   column[float32](&rest, l.perSegment),
	}
}

// column takes n values off the memory that is left.
func column[T any](rest *[]byte, n int) []T {
	values := unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(*rest))), n)
	*rest = (*rest)[n*int(unsafe.Sizeof(values[0])):]
	return values
}
