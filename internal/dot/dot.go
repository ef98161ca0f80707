// Package dot computes inner products: what scores, backgrounds and pairs are made of.
package dot

/*
#cgo CFLAGS: -O3
#cgo noescape dot_products
#cgo nocallback dot_products
#cgo noescape dot_fixed
#cgo nocallback dot_fixed
#include <stddef.h>
#include <stdint.h>

// The instructions of the CPU are chosen when the program starts.
#if defined(__x86_64__) && defined(__gnu_linux__)
#define CLONES __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define CLONES
#endif

// Vectors that the CPU has: the compiler keeps sums of wider ones in memory, at a tenth of the speed.
#if defined(__x86_64__)
#define LANES 8
#else
#define LANES 4
#endif
typedef float lanes __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef float four __attribute__((vector_size(16)));

static inline __attribute__((always_inline)) four quarters(lanes v) {
#if LANES == 8
	return __builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7);
#else
	return v;
#endif
}

// The sum of each of four vectors.
static inline __attribute__((always_inline)) four sums(const lanes *s) {
	four a = quarters(s[0]), b = quarters(s[1]), c = quarters(s[2]), d = quarters(s[3]);
	four ab = __builtin_shufflevector(a, b, 0, 4, 1, 5) + __builtin_shufflevector(a, b, 2, 6, 3, 7);
	four cd = __builtin_shufflevector(c, d, 0, 4, 1, 5) + __builtin_shufflevector(c, d, 2, 6, 3, 7);
	return __builtin_shufflevector(ab, cd, 0, 1, 4, 5) + __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
}

CLONES
static void dot_products(const float *a, size_t na, const float *b, size_t nb, size_t dims, float *out) {
	// Four rows of a by two of b, since sums that wait for memory are the slower ones. Past the end the last row is taken
	// again, and its products are written once more.
	for (size_t i = 0; i < na; i += 4) {
		size_t rows[4];
		for (size_t r = 0; r < 4; r++) rows[r] = i + r < na ? i + r : na - 1;
		for (size_t j = 0; j < nb; j += 2) {
			size_t next = j + 1 < nb ? j + 1 : j, k = 0;
			const float *b0 = b + j * dims, *b1 = b + next * dims;
			lanes s0[4] = {{0}}, s1[4] = {{0}};
			for (; k + LANES <= dims; k += LANES)
				for (size_t r = 0; r < 4; r++) {
					lanes v = *(const lanes *)(a + rows[r] * dims + k);
					s0[r] += v * *(const lanes *)(b0 + k);
					s1[r] += v * *(const lanes *)(b1 + k);
				}
			four t0 = sums(s0), t1 = sums(s1);
			for (; k < dims; k++)
				for (size_t r = 0; r < 4; r++) {
					t0[r] += a[rows[r] * dims + k] * b0[k];
					t1[r] += a[rows[r] * dims + k] * b1[k];
				}
			for (size_t r = 0; r < 4; r++) {
				out[rows[r] * nb + j] = t0[r];
				out[rows[r] * nb + next] = t1[r];
			}
		}
	}
}

CLONES
static void dot_fixed(const int16_t *a, size_t na, const int16_t *b, size_t nb, size_t dims, float unit, float *out) {
	// Four rows of a at a time; past the end the last row is taken again, and its products are written once more.
	for (size_t i = 0; i < na; i += 4) {
		size_t rows[4];
		for (size_t r = 0; r < 4; r++) rows[r] = i + r < na ? i + r : na - 1;
		const int16_t *a0 = a + rows[0] * dims, *a1 = a + rows[1] * dims, *a2 = a + rows[2] * dims, *a3 = a + rows[3] * dims;
		for (size_t j = 0; j < nb; j++) {
			const int16_t *row = b + j * dims;
			int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0; // by name: the compiler makes multiply-adds of 16 numbers of these
			for (size_t k = 0; k < dims; k++) {
				s0 += (int32_t)a0[k] * row[k];
				s1 += (int32_t)a1[k] * row[k];
				s2 += (int32_t)a2[k] * row[k];
				s3 += (int32_t)a3[k] * row[k];
			}
			out[rows[0] * nb + j] = s0 * unit;
			out[rows[1] * nb + j] = s1 * unit;
			out[rows[2] * nb + j] = s2 * unit;
			out[rows[3] * nb + j] = s3 * unit;
		}
	}
}
*/
import "C"

import (
	"fmt"
	"math"
)

// Products writes the inner products of the rows of a and b, dims numbers each, into out: that of row i of a and row j of
// b at i·(rows of b) + j. It is C because the compiler of Go has no vector instructions. It panics when out has not
// (rows of a)·(rows of b) numbers.
func Products(a, b []float32, dims int, out []float32) {
	na, nb := shape(len(a), len(b), dims, len(out))
	if len(out) == 0 {
		return
	}
	C.dot_products((*C.float)(&a[0]), C.size_t(na), (*C.float)(&b[0]), C.size_t(nb), C.size_t(dims), (*C.float)(&out[0]))
}

// fixedOne stands for 1 in fixed point. A unit vector's numbers fit into 16 bits even where its length is 1.02.
const fixedOne = 32000

// Fixed appends the numbers of unit vectors to fixed, in 16-bit fixed point.
func Fixed(fixed []int16, numbers []float32) []int16 {
	for _, v := range numbers {
		fixed = append(fixed, int16(math.RoundToEven(float64(min(max(v*fixedOne, math.MinInt16), math.MaxInt16)))))
	}
	return fixed
}

// FixedProducts is Products of unit vectors in fixed point: in half of the time, of half of the memory, and off by some
// hundred-thousandths. Its sums have 32 bits, which is enough, since no part of an inner product is larger than the lengths
// of both vectors multiplied (Cauchy and Schwarz).
func FixedProducts(a, b []int16, dims int, out []float32) {
	na, nb := shape(len(a), len(b), dims, len(out))
	if len(out) == 0 {
		return
	}
	C.dot_fixed((*C.int16_t)(&a[0]), C.size_t(na), (*C.int16_t)(&b[0]), C.size_t(nb), C.size_t(dims), 1.0/(fixedOne*fixedOne), (*C.float)(&out[0]))
}

// shape is the rows that so many numbers of a and b are; it panics where out has not a place for each pair of them.
func shape(a, b, dims, out int) (na, nb int) {
	na, nb = a/dims, b/dims
	if out != na*nb || a%dims != 0 || b%dims != 0 {
		panic(fmt.Sprintf("dot: %d and %d numbers in rows of %d into %d, want whole rows and a place for each pair", a, b, dims, out))
	}
	return na, nb
}

// Product is the inner product of two vectors of the same width, for pairs that come one by one. It has four sums, since a
// processor adds in several places at once.
func Product(a, b []float32) float32 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float32
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return s0 + s1 + s2 + s3
}
