package sketch

/*
#cgo CFLAGS: -O3
#cgo noescape sketch_keys
#cgo nocallback sketch_keys
#cgo noescape sketch_from
#cgo nocallback sketch_from
#cgo noescape sketch_scores
#cgo nocallback sketch_scores
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// The instructions of the CPU are chosen when the program starts.
#if defined(__x86_64__) && defined(__gnu_linux__)
#define CLONES __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define CLONES
#endif

enum {
	BLOCK = 16,                      // rows side by side
	AT_ONCE = 4,                     // groups of 8 numbers that are summed in a byte
	IN_TABLE = 255 / (2 * AT_ONCE),  // at most, in tables: two numbers of a group
	MOST = 6,                        // estimates, which keys are of, are between -MOST and MOST, as those of any unit vectors are
	KEYS_OF_ONE = 256,
	KEYS = 2 * MOST * KEYS_OF_ONE,
};

typedef uint8_t bytes __attribute__((vector_size(BLOCK), aligned(1), may_alias));
typedef uint16_t words __attribute__((vector_size(BLOCK)));
typedef int16_t numbers __attribute__((vector_size(BLOCK)));
typedef int64_t pair __attribute__((vector_size(BLOCK)));
typedef float floats __attribute__((vector_size(2 * BLOCK), aligned(4), may_alias));
typedef int32_t ints __attribute__((vector_size(2 * BLOCK)));

static inline __attribute__((always_inline)) bytes lookup(bytes table, bytes index) {
#if defined(__clang__)
	bytes found;
	for (int i = 0; i < BLOCK; i++)
		found[i] = table[index[i]];
	return found;
#else
	return __builtin_shuffle(table, index);
#endif
}

// A block is of 16 rows: of each 8 numbers a byte of signs of every row, those of the first eight rows at even places. tables
// has two for each byte, of what its lower and its upper four signs add to the query's product, at most IN_TABLE. Keys are
// written of whole blocks.
CLONES
static void sketch_keys(const uint8_t *signs, size_t groups, const float *factors, const float *offsets, size_t rows,
		const uint8_t *tables, float step, float lowest, int16_t *keys, size_t every, uint32_t *count) {
	for (size_t row = 0; row < rows; row += BLOCK, signs += BLOCK * groups) {
		words even = {0}, odd = {0};
		for (size_t g = 0; g < groups; g += AT_ONCE) {
			bytes sum = {0};
			for (size_t k = g; k < g + AT_ONCE; k++) {
				bytes all = *(const bytes *)(signs + BLOCK * k);
				const bytes *table = (const bytes *)(tables + 2 * BLOCK * k);
				sum += lookup(table[0], all & 15) + lookup(table[1], all >> 4);
			}
			even += (words)sum; // with 256 times what the odd bytes are
			odd += (words)sum >> 8;
		}
		even -= odd << 8;
		for (int half = 0; half < 2; half++) {
			size_t first = row + half * BLOCK / 2;
			floats sums = __builtin_convertvector(half ? odd : even, floats);
			floats estimates = (sums * step + lowest) * *(const floats *)(factors + first) + *(const floats *)(offsets + first);
			ints all = __builtin_convertvector((estimates + MOST) * KEYS_OF_ONE, ints);
			all &= all > 0; // comparisons are -1, all bits, where they hold
			all = (all < KEYS & all) | (all >= KEYS & (KEYS - 1));
			numbers narrow = __builtin_convertvector(all, numbers);
			memcpy(keys + first, &narrow, sizeof narrow);
		}
	}
	for (size_t i = 0; i < rows; i += every) // apart, since the counts of neighbours wait for each other
		count[keys[i]]++;
}

// Of most blocks none is taken, which is seen at once. keys are of whole blocks.
CLONES
static size_t sketch_from(const int16_t *keys, size_t rows, int16_t least, uint32_t *found) {
	size_t n = 0;
	for (size_t row = 0; row < rows; row += BLOCK) {
		numbers lower, upper;
		memcpy(&lower, keys + row, sizeof lower);
		memcpy(&upper, keys + row + BLOCK / 2, sizeof upper);
		pair any = (pair)((lower >= least) | (upper >= least));
		if (any[0] | any[1])
			for (size_t i = row; i < row + BLOCK && i < rows; i++) {
				found[n] = i;
				n += keys[i] >= least;
			}
	}
	return n;
}

CLONES
static void sketch_scores(const int8_t *codes, size_t dims, const float *steps, const float *offsets, const uint32_t *rows, size_t n,
		const int16_t *query, float step, float middle, float *scores) {
	enum { AHEAD = 8 }; // rows lie anywhere in memory
	for (size_t i = 0; i < n; i++) {
		if (i + AHEAD < n) {
			for (size_t k = 0; k < dims; k += 64)
				__builtin_prefetch(codes + rows[i + AHEAD] * dims + k);
			__builtin_prefetch(steps + rows[i + AHEAD]);
		}
		const int8_t *row = codes + rows[i] * dims;
		int32_t sum = 0;
		for (size_t k = 0; k < dims; k++)
			sum += (int32_t)row[k] * query[k];
		scores[i] = sum * step * steps[rows[i]] + offsets[rows[i]] + middle;
	}
}
*/
import "C"

const (
	block   = C.BLOCK
	atOnce  = C.AT_ONCE
	inTable = C.IN_TABLE
	allKeys = C.KEYS
)

// placeInBlock is where in a block's 16 bytes that of a row is.
func placeInBlock(row int) int { return row%(block/2)*2 + row%block/(block/2) }

// keys writes the keys of the first len(out) rows, and counts one in every so many. out has room for whole blocks.
func (l *look) keys(g *segment, out []int16, every int, count *[allKeys]uint32) {
	C.sketch_keys((*C.uint8_t)(&g.signs[0]), C.size_t(l.set.groups), (*C.float)(&g.factors[0]), (*C.float)(&g.offsets[0]),
		C.size_t(len(out)), (*C.uint8_t)(&l.tables[0]), C.float(l.tableStep), C.float(l.lowest), (*C.int16_t)(&out[0]),
		C.size_t(every), (*C.uint32_t)(&count[0]))
}

// rowsFrom are the rows whose key is least or more; space has room for one number more than there are keys.
func rowsFrom(keys []int16, least int, space []uint32) []uint32 {
	n := C.sketch_from((*C.int16_t)(&keys[0]), C.size_t(len(keys)), C.int16_t(least), (*C.uint32_t)(&space[0]))
	return space[:n]
}

// scores writes about q·r − penalty of some rows.
func (l *look) scores(g *segment, rows []uint32, out []float32) {
	if len(rows) > 0 {
		C.sketch_scores((*C.int8_t)(&g.codes[0]), C.size_t(l.set.dims), (*C.float)(&g.steps[0]), (*C.float)(&g.offsets[0]), (*C.uint32_t)(&rows[0]),
			C.size_t(len(rows)), (*C.int16_t)(&l.codes[0]), C.float(l.step), C.float(l.middle), (*C.float)(&out[0]))
	}
}
