// Vectors of samples of eight rows, and operations on them.
#ifndef MODERATOR_IMAGING_SAMPLES_H
#define MODERATOR_IMAGING_SAMPLES_H

#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <immintrin.h>
#endif

#if defined(__x86_64__) && defined(__GLIBC__)
#define CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#define WIDER __attribute__((target("avx2")))
#else
#define CLONES
#endif

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "a byte before a zero is to be the number");

// Rows are scaled eight at a time, with their samples interleaved in one vector.
#define ROWS 8
#define UP_TO_ROWS(n) (((n) + ROWS - 1) / ROWS * ROWS)

typedef int16_t samples __attribute__((vector_size(2 * ROWS)));
typedef int32_t sums __attribute__((vector_size(2 * ROWS))); // of four rows
typedef int16_t half __attribute__((vector_size(ROWS)));
typedef uint8_t bytes __attribute__((vector_size(ROWS)));
typedef uint8_t twice __attribute__((vector_size(2 * ROWS)));

// Interleave the samples of a and b: of their first and second half.
#define FIRST_BY_TURNS(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define SECOND_BY_TURNS(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)

// The same for bytes.
#define FIRST_BYTES_BY_TURNS(a, b) \
	__builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define SECOND_BYTES_BY_TURNS(a, b) \
	__builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)

// Two weights for each pair of samples.
static inline samples pair_of(const int16_t *weights)
{
	int32_t pair;

	memcpy(&pair, weights, sizeof pair);
	return (samples) ((sums) { 0 } + pair);
}

// Weighted sums of pairs of samples. Compilers do not find the instruction for it by themselves.
static inline sums weighted(samples pairs, samples weights)
{
#ifdef __SSE2__
	return (sums) _mm_madd_epi16((__m128i) pairs, (__m128i) weights);
#else
	half first = __builtin_shufflevector(pairs, pairs, 0, 2, 4, 6), second = __builtin_shufflevector(pairs, pairs, 1, 3, 5, 7);
	return weights[0] * __builtin_convertvector(first, sums) + weights[1] * __builtin_convertvector(second, sums);
#endif
}

// Narrows sums that fit into 16 bits.
static inline samples narrowed(sums a, sums b)
{
#ifdef __SSE2__
	return (samples) _mm_packs_epi32((__m128i) a, (__m128i) b);
#else
	return __builtin_shufflevector(__builtin_convertvector(a, half), __builtin_convertvector(b, half), 0, 1, 2, 3, 4, 5, 6, 7);
#endif
}

// Clamps each sample to a byte.
static inline samples clamped(samples v)
{
	v &= v > 0; // comparisons are -1, all bits, where they hold
	return ((v > 255) & 255) | ((v <= 255) & v);
}

#endif
