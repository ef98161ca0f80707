// Package hugepage gives memory of huge pages, for indexes whose entries are looked at in any order: with small pages the
// processor waits for the address of most entries as long as for the entry.
//
// The memory is the system's and not Go's, whose collector would leave as much again for garbage.
package hugepage

/*
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

enum { HUGE_PAGE = 2 << 20 };

// size is of whole huge pages. The memory is of zeros, and begins with a page.
static void *hugepage_map(size_t size) {
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
)

// Size is that of a huge page, in bytes.
const Size = C.HUGE_PAGE

// least is the size, in bytes, from which memory is of huge pages; less is Go's.
const least = C.HUGE_PAGE / 2

// Array is n values of a type without pointers. Its memory is given back when nothing refers to the Array: whoever uses
// Values must keep it alive.
type Array[T any] struct{ Values []T }

// Make returns an Array of n zero values. It panics if the system has no memory left, as make does.
func Make[T any](n int) *Array[T] {
	var value T
	bytes := n * int(unsafe.Sizeof(value))
	if bytes < least {
		return &Array[T]{make([]T, n)}
	}
	pages := (bytes + C.HUGE_PAGE - 1) / C.HUGE_PAGE * C.HUGE_PAGE
	memory := C.hugepage_map(C.size_t(pages))
	if memory == nil {
		panic(fmt.Sprintf("hugepage: no memory for %d more bytes", pages))
	}
	a := &Array[T]{unsafe.Slice((*T)(memory), n)}
	runtime.AddCleanup(a, func(memory unsafe.Pointer) { C.munmap(memory, C.size_t(pages)) }, memory)
	return a
}
