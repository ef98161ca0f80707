package near

/*
#cgo CFLAGS: -O3
#cgo noescape near_products
#cgo nocallback near_products
#include <stddef.h>

typedef float lanes __attribute__((vector_size(64), aligned(4), may_alias));

#define AT(row, i) (*(const lanes *)((row) + (i)))

// The widest vectors of the CPU are chosen when the program starts.
#if defined(__x86_64__) && defined(__gnu_linux__)
__attribute__((target_clones("avx512f", "avx2,fma", "default")))
#endif
static void near_products(const float *a, size_t na, const float *b, size_t nb, size_t dims, float *out) {
	size_t whole = dims - dims % 16;
	for (size_t i = 0; i < na; i += 4) {
		// Four rows of a at a time, so that each row of b is read a quarter as often. Past the end the last row is
		// taken again, and its products are written once more.
		const float *a0 = a + i * dims, *a1 = a + (i + 1 < na ? i + 1 : na - 1) * dims;
		const float *a2 = a + (i + 2 < na ? i + 2 : na - 1) * dims, *a3 = a + (i + 3 < na ? i + 3 : na - 1) * dims;
		float *o0 = out + i * nb, *o1 = out + (i + 1 < na ? i + 1 : na - 1) * nb;
		float *o2 = out + (i + 2 < na ? i + 2 : na - 1) * nb, *o3 = out + (i + 3 < na ? i + 3 : na - 1) * nb;
		for (size_t j = 0; j < nb; j++) {
			const float *row = b + j * dims;
			lanes s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
			for (size_t k = 0; k < whole; k += 16) {
				lanes v = AT(row, k);
				s0 += v * AT(a0, k);
				s1 += v * AT(a1, k);
				s2 += v * AT(a2, k);
				s3 += v * AT(a3, k);
			}
			float t0 = 0, t1 = 0, t2 = 0, t3 = 0;
			for (int k = 0; k < 16; k++) {
				t0 += s0[k];
				t1 += s1[k];
				t2 += s2[k];
				t3 += s3[k];
			}
			for (size_t k = whole; k < dims; k++) {
				t0 += row[k] * a0[k];
				t1 += row[k] * a1[k];
				t2 += row[k] * a2[k];
				t3 += row[k] * a3[k];
			}
			o0[j] = t0;
			o1[j] = t1;
			o2[j] = t2;
			o3[j] = t3;
		}
	}
}
*/
import "C"

import "fmt"

// Products writes the inner products of the rows of a and b, dims numbers each, into out: that of row i of a and row j of
// b at i·(rows of b) + j. It is C because the compiler of Go has no vector instructions. It panics when out has not
// (rows of a)·(rows of b) numbers.
func Products(a, b []float32, dims int, out []float32) {
	na, nb := len(a)/dims, len(b)/dims
	if len(out) != na*nb || len(a)%dims != 0 || len(b)%dims != 0 {
		panic(fmt.Sprintf("near: %d and %d numbers in rows of %d into %d, want whole rows and a place for each pair", len(a), len(b), dims, len(out)))
	}
	if len(out) == 0 {
		return
	}
	C.near_products((*C.float)(&a[0]), C.size_t(na), (*C.float)(&b[0]), C.size_t(nb), C.size_t(dims), (*C.float)(&out[0]))
}
