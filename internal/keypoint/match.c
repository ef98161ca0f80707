#include "match.h"

#include "clones.h"

// The distances are kept with their places in one number each, so that a minimum gives both.
enum { place_bits = 20, place_mask = (1 << place_bits) - 1 };

static void distances(const uint64_t *even, const uint64_t *odd, int from, int m, uint64_t a, uint64_t b, int32_t *keys)
{
	for (int i = from; i < m; i++)
		keys[i] = (__builtin_popcountll(even[i] ^ a) + __builtin_popcountll(odd[i] ^ b)) << place_bits | i;
}

#if defined(__x86_64__)
#include <immintrin.h>

// The bits of each byte, by a table of those of four bits.
__attribute__((target("avx2"))) static inline __m256i counted(__m256i x)
{
	const __m256i table = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
	const __m256i four = _mm256_set1_epi8(15);

	return _mm256_add_epi8(_mm256_shuffle_epi8(table, _mm256_and_si256(x, four)),
		_mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(x, 4), four)));
}

// The same as distances does, four at a time; returns how many of the m it made.
__attribute__((target("avx2"))) static int distances_wider(const uint64_t *even, const uint64_t *odd, int m, uint64_t a, uint64_t b, int32_t *keys)
{
	const __m256i as = _mm256_set1_epi64x((int64_t)a), bs = _mm256_set1_epi64x((int64_t)b);
	const __m256i halves = _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6);
	__m128i places = _mm_setr_epi32(0, 1, 2, 3);
	int i = 0;

	for (; i + 4 <= m; i += 4) {
		__m256i x = counted(_mm256_xor_si256(_mm256_loadu_si256((const __m256i *)(even + i)), as));
		__m256i y = counted(_mm256_xor_si256(_mm256_loadu_si256((const __m256i *)(odd + i)), bs));
		__m256i sums = _mm256_sad_epu8(_mm256_add_epi8(x, y), _mm256_setzero_si256());
		__m128i four = _mm256_castsi256_si128(_mm256_permutevar8x32_epi32(sums, halves));

		_mm_storeu_si128((__m128i *)(keys + i), _mm_or_si128(_mm_slli_epi32(four, place_bits), places));
		places = _mm_add_epi32(places, _mm_set1_epi32(4));
	}
	return i;
}

// All of kp_nearest, eight distances at a time: each lane keeps its two lowest.
__attribute__((target("avx512f,avx512vpopcntdq"))) static void nearest_widest(const uint64_t *asked, int n, const uint64_t *even, const uint64_t *odd,
	int m, int none, int32_t *place, int32_t *first, int32_t *second)
{
	const __m512i nothing = _mm512_set1_epi64((int64_t)none << place_bits | place_mask), eight = _mm512_set1_epi64(8);

	for (int j = 0; j < n; j++) {
		const __m512i a = _mm512_set1_epi64((int64_t)asked[2 * j]), b = _mm512_set1_epi64((int64_t)asked[2 * j + 1]);
		__m512i best = nothing, next = nothing, places = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);

		for (int i = 0; i < m; i += 8, places = _mm512_add_epi64(places, eight)) {
			__mmask8 there = m - i >= 8 ? 0xff : (__mmask8)((1 << (m - i)) - 1);
			__m512i x = _mm512_popcnt_epi64(_mm512_xor_si512(_mm512_maskz_loadu_epi64(there, even + i), a));
			__m512i y = _mm512_popcnt_epi64(_mm512_xor_si512(_mm512_maskz_loadu_epi64(there, odd + i), b));
			__m512i keys = _mm512_or_si512(_mm512_slli_epi64(_mm512_add_epi64(x, y), place_bits), places);

			keys = _mm512_mask_mov_epi64(nothing, there, keys);
			next = _mm512_min_epi64(next, _mm512_max_epi64(best, keys));
			best = _mm512_min_epi64(best, keys);
		}
		int64_t lowest = _mm512_reduce_min_epi64(best);
		__mmask8 others = _mm512_cmpneq_epi64_mask(best, _mm512_set1_epi64(lowest));

		place[j] = (int32_t)lowest & place_mask;
		first[j] = (int32_t)(lowest >> place_bits);
		second[j] = (int32_t)(_mm512_reduce_min_epi64(_mm512_min_epi64(next, _mm512_mask_mov_epi64(nothing, others, best))) >> place_bits);
	}
}
#endif

CLONES static int32_t lowest(const int32_t *restrict all, int m, int32_t least)
{
	for (int i = 0; i < m; i++)
		least = all[i] < least ? all[i] : least;
	return least;
}

void kp_nearest(const uint64_t *asked, int n, const uint64_t *even, const uint64_t *odd, int m, int none, int32_t *keys, int32_t *place, int32_t *first, int32_t *second)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx512vpopcntdq")) {
		nearest_widest(asked, n, even, odd, m, none, place, first, second);
		return;
	}
#endif
	for (int j = 0; j < n; j++) {
		uint64_t a = asked[2 * j], b = asked[2 * j + 1];
		int made = 0;

#if defined(__x86_64__)
		if (__builtin_cpu_supports("avx2"))
			made = distances_wider(even, odd, m, a, b, keys);
#endif
		distances(even, odd, made, m, a, b, keys);
		int32_t best = lowest(keys, m, none << place_bits);
		place[j] = best & place_mask;
		first[j] = best >> place_bits;
		keys[place[j]] = none << place_bits;
		second[j] = lowest(keys, m, none << place_bits) >> place_bits;
	}
}
