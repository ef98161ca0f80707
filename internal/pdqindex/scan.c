#include "scan.h"

#include <stddef.h>

static inline __attribute__((always_inline)) uint32_t one_by_one(const uint64_t *hashes, uint32_t from, uint32_t to, const uint64_t *query, int limit)
{
	for (; from < to; from++) {
		const uint64_t *h = hashes + (size_t)from * PDQINDEX_WORDS;

		if (__builtin_popcountll(h[0] ^ query[0]) + __builtin_popcountll(h[1] ^ query[1]) <= limit
			&& __builtin_popcountll(h[2] ^ query[2]) + __builtin_popcountll(h[3] ^ query[3]) <= limit)
			break;
	}
	return from;
}

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("popcnt"))) static uint32_t with_popcnt(const uint64_t *hashes, uint32_t from, uint32_t to, const uint64_t *query, int limit)
{
	return one_by_one(hashes, from, to, query, limit);
}

enum { AT_A_TIME = 4 };

__attribute__((target("avx512f,avx512vpopcntdq,popcnt")))
static uint32_t four_at_a_time(const uint64_t *hashes, uint32_t from, uint32_t to, const uint64_t *query, int limit)
{
	const __m512i code = _mm512_broadcast_i64x4(_mm256_loadu_si256((const __m256i *)query)), most = _mm512_set1_epi64(limit);

	for (; to - from >= AT_A_TIME; from += AT_A_TIME) {
		const uint64_t *h = hashes + (size_t)from * PDQINDEX_WORDS;
		__m512i a = _mm512_popcnt_epi64(_mm512_xor_si512(_mm512_loadu_si512(h), code));
		__m512i b = _mm512_popcnt_epi64(_mm512_xor_si512(_mm512_loadu_si512(h + 2 * PDQINDEX_WORDS), code));
		// The halves of the first hash and of the third alternate, then those of the second and of the fourth.
		__m512i halves = _mm512_add_epi64(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
		unsigned within = _mm512_cmple_epi64_mask(halves, most);

		if (within & within >> 2 & 0x33)
			break;
	}
	return one_by_one(hashes, from, to, query, limit);
}
#endif

uint32_t pdqindex_scan(const uint64_t *hashes, uint32_t from, uint32_t to, const uint64_t *query, int limit)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx512vpopcntdq"))
		return four_at_a_time(hashes, from, to, query, limit);
	if (__builtin_cpu_supports("popcnt"))
		return with_popcnt(hashes, from, to, query, limit);
#endif
	return one_by_one(hashes, from, to, query, limit);
}
