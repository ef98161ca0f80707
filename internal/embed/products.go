package embed

/*
#cgo CFLAGS: -O3
#cgo noescape embed_products
#cgo nocallback embed_products
#include <stddef.h>

// The widest vectors of the CPU are chosen when the program starts.
#if defined(__x86_64__) && defined(__gnu_linux__)
__attribute__((target_clones("avx512f", "avx2,fma", "default")))
#endif
static void embed_products(const float *matrix, const float *v, size_t rows, size_t dims, float *out) {
	typedef float lanes __attribute__((vector_size(64), aligned(4), may_alias));
	for (size_t r = 0; r < rows; r++) {
		const float *row = matrix + r * dims;
		lanes s0 = {0}, s1 = {0}; // two, since a single sum would wait for each addition
		size_t i = 0;
		for (; i + 32 <= dims; i += 32) {
			s0 += *(const lanes *)(row + i) * *(const lanes *)(v + i);
			s1 += *(const lanes *)(row + i + 16) * *(const lanes *)(v + i + 16);
		}
		s0 += s1;
		float sum = 0;
		for (int k = 0; k < 16; k++) sum += s0[k];
		for (; i < dims; i++) sum += row[i] * v[i];
		out[r] = sum;
	}
}
*/
import "C"

// products writes the inner products of v with len(out) rows of matrix, each len(v) numbers. It is C because the compiler of
// Go has no vector instructions: 0.06 ms instead of 0.5 ms for 4096 rows of 256 numbers, a fifth of what the shipped model
// takes for the vector itself.
func products(matrix, v, out []float32) {
	_ = matrix[len(out)*len(v)-1] // the C code checks no bounds
	C.embed_products((*C.float)(&matrix[0]), (*C.float)(&v[0]), C.size_t(len(out)), C.size_t(len(v)), (*C.float)(&out[0]))
}
