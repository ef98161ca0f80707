package sketch

/*
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

enum { HUGE_PAGE = 2 << 20 };

// size is of whole huge pages. The memory is of zeros, and begins with a page.
static void *memory_map(size_t size) {
	char *all = mmap(NULL, size + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (all == MAP_FAILED)
		return NULL;
	size_t before = -(uintptr_t)all % HUGE_PAGE;
	if (before > 0)
		munmap(all, before);
	munmap(all + before + size, HUGE_PAGE - before);
#ifdef MADV_HUGEPAGE
	madvise(all + before, size, MADV_HUGEPAGE);
#endif
	return all + before;
}
*/
import "C"

import (
	"fmt"
	"runtime"
	"unsafe"

	"github.com/google/uuid"
)

// layout is how many rows a segment has room for, and its memory. That is huge pages, since small ones take a quarter of the time in
// which rows that lie anywhere are looked at, and not Go's, whose collector would leave as much again for garbage.
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
	bytes := (fewestRows*perRow + C.HUGE_PAGE - 1) / C.HUGE_PAGE * C.HUGE_PAGE
	return layout{dims, groups, bytes / perRow / block * block, bytes}
}

// newSegment is a segment of zeros. Its memory is given back when nothing refers to the segment, and its slices do not.
func (l layout) newSegment() *segment {
	memory := C.memory_map(C.size_t(l.bytes))
	if memory == nil {
		panic(fmt.Sprintf("sketch: no memory for %d more bytes", l.bytes))
	}
	rest := unsafe.Slice((*byte)(memory), l.bytes)
	g := &segment{
		ids:     column[uuid.UUID](&rest, l.perSegment),
		signs:   column[byte](&rest, l.perSegment*l.groups),
		factors: column[float32](&rest, l.perSegment),
		offsets: column[float32](&rest, l.perSegment),
		codes:   column[int8](&rest, l.perSegment*l.dims),
		steps:   column[float32](&rest, l.perSegment),
	}
	runtime.AddCleanup(g, func(memory unsafe.Pointer) { C.munmap(memory, C.size_t(l.bytes)) }, memory)
	return g
}

// column takes n values off the memory that is left.
func column[T any](rest *[]byte, n int) []T {
	values := unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(*rest))), n)
	*rest = (*rest)[n*int(unsafe.Sizeof(values[0])):]
	return values
}
