package sketch

/*
#cgo CFLAGS: -O3
#cgo noescape sketch_keys
#cgo nocallback sketch_keys
#cgo noescape sketch_from
#cgo nocallback sketch_from
#cgo noescape sketch_products
#cgo nocallback sketch_products
#include <stddef.h>
#include <stdint.h>

// The instructions of the CPU are chosen when the program starts.
#if defined(__x86_64__) && defined(__gnu_linux__)
#define CLONES(better) __attribute__((target_clones(better, "default")))
#else
#define CLONES(better)
#endif

// The product of two lengths is at most 4, and what is added to it 2.
enum { UNIT_BITS = 12, UNITS = 1 << UNIT_BITS, MOST = 6 * UNITS, KEY_BITS = 4, KEYS = (2 * MOST >> KEY_BITS) + 1 };

static inline __attribute__((always_inline)) void keys_of(const uint64_t *signs, const int16_t *norms, const int16_t *offset,
		size_t rows, size_t words, const uint64_t *asked, const int16_t *worth, int16_t *keys, uint32_t *count) {
	for (size_t i = 0; i < rows; i++, signs += words) {
		int differ = 0;
		for (size_t k = 0; k < words; k++)
			differ += __builtin_popcountll(signs[k] ^ asked[k]);
		keys[i] = ((worth[differ] * norms[i] >> UNIT_BITS) + offset[i] + MOST) >> KEY_BITS;
	}
	for (size_t i = 0; i < rows; i++) // apart, since the counts of neighbours wait for each other
		count[keys[i]]++;
}

CLONES("popcnt")
static void sketch_keys(const uint64_t *signs, const int16_t *norms, const int16_t *offset, size_t rows, size_t words,
		const uint64_t *asked, const int16_t *worth, int16_t *keys, uint32_t *count) {
	if (words == 4) // the shipped model's; the compiler unrolls what it knows
		keys_of(signs, norms, offset, rows, 4, asked, worth, keys, count);
	else
		keys_of(signs, norms, offset, rows, words, asked, worth, keys, count);
}

static size_t sketch_from(const int16_t *keys, size_t rows, int least, uint32_t *found) {
	size_t n = 0;
	for (size_t i = 0; i < rows; i++) {
		found[n] = i;
		n += keys[i] >= least;
	}
	return n;
}

CLONES("avx2")
static void sketch_products(const int8_t *codes, size_t dims, const uint32_t *rows, size_t n, const int16_t *asked, int32_t *out) {
	for (size_t i = 0; i < n; i++) {
		const int8_t *row = codes + rows[i] * dims;
		int32_t sum = 0;
		for (size_t k = 0; k < dims; k++)
			sum += (int32_t)row[k] * asked[k];
		out[i] = sum;
	}
}
*/
import "C"

// units are so many to 1, of what rows are first ranked by; there are so many keys, which are about q·r − half.
const (
	units   = C.UNITS
	allKeys = C.KEYS
)

// keys writes the keys of the first len(out) rows, and counts them.
func (l *look) keys(g *segment, out []int16, count *[allKeys]uint32) {
	C.sketch_keys((*C.uint64_t)(&g.signs[0]), (*C.int16_t)(&g.norms[0]), (*C.int16_t)(&g.offset[0]), C.size_t(len(out)),
		C.size_t(l.set.words), (*C.uint64_t)(&l.signs[0]), (*C.int16_t)(&l.worth[0]), (*C.int16_t)(&out[0]), (*C.uint32_t)(&count[0]))
}

// rowsFrom are the rows whose key is least or more.
func rowsFrom(keys []int16, least int) []uint32 {
	found := make([]uint32, len(keys)+1) // a row is written before it is known whether it counts
	n := C.sketch_from((*C.int16_t)(&keys[0]), C.size_t(len(keys)), C.int(least), (*C.uint32_t)(&found[0]))
	return found[:n]
}

// products writes the inner products of the query and some rows, both in their steps.
func (l *look) products(g *segment, rows []uint32, out []int32) {
	if len(rows) > 0 {
		C.sketch_products((*C.int8_t)(&g.codes[0]), C.size_t(l.set.dims), (*C.uint32_t)(&rows[0]), C.size_t(len(rows)),
			(*C.int16_t)(&l.codes[0]), (*C.int32_t)(&out[0]))
	}
}
