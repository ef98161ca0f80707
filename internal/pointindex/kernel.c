#include "kernel.h"

#include <stddef.h>

// The instructions are chosen when the program starts.
#if defined(__x86_64__) && defined(__gnu_linux__)
#define WIDE __attribute__((target_clones("avx2", "default")))
#else
#define WIDE
#endif

// The sums stay in registers, which they do not as an array.
typedef int16_t lanes __attribute__((vector_size(32), aligned(2), may_alias));

WIDE void pi_project(const uint64_t *bits, int n, const int16_t *sums, int16_t *out)
{
	for (int p = 0; p < n; p++) {
		lanes a = { 0 }, b = a, c = a, d = a, e = a;

		for (int w = 0; w < 2; w++) {
			uint64_t word = bits[2 * p + w];

			for (int i = 0; i < 16; i++, word >>= 4, sums += 16 * PI_WIDTH) {
				const lanes *row = (const lanes *)(sums + (word & 15) * PI_WIDTH);

				a += row[0];
				b += row[1];
				c += row[2];
				d += row[3];
				e += row[4];
			}
		}
		sums -= 32 * 16 * PI_WIDTH;

		lanes *to = (lanes *)(out + (size_t)p * PI_WIDTH);

		to[0] = a;
		to[1] = b;
		to[2] = c;
		to[3] = d;
		to[4] = e;
	}
}

// All ranks are counted at once: a sort would wait for its branches.
WIDE void pi_flips(const int16_t *z, int dims, const struct pi_set *sets, int most, uint32_t *flips)
{
	enum { MOST_DIMS = 32 };
	int32_t margins[MOST_DIMS], ranks[MOST_DIMS] = { 0 };
	uint32_t weakest[MOST_DIMS];

	for (int d = 0; d < MOST_DIMS; d++) {
		int v = d < dims ? z[d] : INT16_MAX;

		margins[d] = (v < 0 ? -v : v) * MOST_DIMS + d; // no two are equal
	}
	for (int e = 0; e < dims; e++)
		for (int d = 0; d < MOST_DIMS; d++)
			ranks[d] += margins[e] < margins[d];
	for (int d = 0; d < dims; d++)
		weakest[ranks[d]] = 1u << d;
	flips[0] = 0;
	for (int k = 1; k < most; k++)
		flips[k] = flips[sets[k].of] | weakest[sets[k].with];
}

void pi_probe(const int16_t *z, const uint32_t *partitions, int n, int dims, const struct pi_set *sets, int each, uint32_t *flips,
	struct pi_ask *asks, uint32_t *starts)
{
	uint32_t ends[PI_PARTITIONS] = { 0 }, sum = 0;

	for (int p = 0; p < n; p++) {
		uint32_t *own = flips + (size_t)p * each;

		pi_flips(z + (size_t)p * PI_WIDTH, dims, sets, each, own);
		for (int k = 0; k < each; k++)
			ends[partitions[p] ^ (own[k] & (PI_PARTITIONS - 1))]++;
	}
	for (int i = 0; i < PI_PARTITIONS; i++) {
		starts[i] = sum;
		sum += ends[i];
		ends[i] = starts[i];
	}
	starts[PI_PARTITIONS] = sum;
	for (int p = 0; p < n; p++)
		for (int k = 0; k < each; k++) {
			uint32_t flip = flips[(size_t)p * each + k];
			struct pi_ask *to = asks + ends[partitions[p] ^ (flip & (PI_PARTITIONS - 1))]++;

			to->point = p;
			to->flip = flip >> PI_PART_DIMS;
		}
}

struct span {
	uint32_t from, to, query;
};

// Buckets lie anywhere in memory: those of BLOCK asks are fetched while the ones before are compared.
enum { BLOCK = 32, LINE = 8 };

static inline __attribute__((always_inline)) int spans_of(const uint64_t *codes, const uint32_t *starts, int bits, const struct pi_ask *asks,
	int n, const uint64_t *queries, struct span *spans)
{
	int count = 0;

	for (int i = 0; i < n; i++) {
		uint32_t at = (queries[asks[i].point] & ((1u << bits) - 1)) ^ asks[i].flip;

		if (asks[i].flip >> bits)
			continue;
		spans[count].from = starts[at];
		spans[count].to = starts[at + 1];
		spans[count].query = asks[i].point;
		count += spans[count].from < spans[count].to;
	}
	for (int i = 0; i < count; i++)
		for (uint32_t k = spans[i].from; k < spans[i].to && k < spans[i].from + 8 * LINE; k += LINE)
			__builtin_prefetch(codes + k);
	return count;
}

typedef int comparer(const uint64_t *codes, const struct span *span, uint64_t code, int limit, struct pi_hit *hits, int count, int most);

static inline __attribute__((always_inline)) int look(comparer *compare, const uint64_t *codes, const uint32_t *starts, int bits,
	const struct pi_ask *asks, int n, const uint64_t *queries, int limit, struct pi_hit *hits, int most)
{
	struct span spans[2][BLOCK];
	int counts[2], count = 0;

	counts[0] = spans_of(codes, starts, bits, asks, n < BLOCK ? n : BLOCK, queries, spans[0]);
	for (int block = 0; block * BLOCK < n; block++) {
		int next = (block + 1) * BLOCK, now = block & 1;

		if (next < n)
			counts[!now] = spans_of(codes, starts, bits, asks + next, n - next < BLOCK ? n - next : BLOCK, queries, spans[!now]);
		for (int i = 0; i < counts[now]; i++)
			count = compare(codes, &spans[now][i], queries[spans[now][i].query], limit, hits, count, most);
	}
	return count;
}

static inline __attribute__((always_inline)) int one_by_one(const uint64_t *codes, const struct span *span, uint64_t code, int limit,
	struct pi_hit *hits, int count, int most)
{
	for (uint32_t k = span->from; k < span->to && count < most; k++) {
		int d = __builtin_popcountll(codes[k] ^ code);

		hits[count].at = k; // overwritten by the next unless it counts: no branch to be foreseen
		hits[count].query = span->query;
		hits[count].distance = d;
		count += d <= limit;
	}
	return count;
}

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("popcnt"))) static int look_popcnt(const uint64_t *codes, const uint32_t *starts, int bits, const struct pi_ask *asks,
	int n, const uint64_t *queries, int limit, struct pi_hit *hits, int most)
{
	return look(one_by_one, codes, starts, bits, asks, n, queries, limit, hits, most);
}

#define WIDEST __attribute__((target("avx512f,avx512vpopcntdq,popcnt,bmi")))

WIDEST static inline int eight_at_once(const uint64_t *codes, const struct span *span, uint64_t code, int limit, struct pi_hit *hits, int count, int most)
{
	for (uint32_t k = span->from; k < span->to; k += LINE) {
		__mmask8 there = span->to - k < LINE ? (1u << (span->to - k)) - 1 : 0xff;
		__m512i differ = _mm512_xor_si512(_mm512_maskz_loadu_epi64(there, codes + k), _mm512_set1_epi64(code));
		unsigned found = _mm512_mask_cmple_epi64_mask(there, _mm512_popcnt_epi64(differ), _mm512_set1_epi64(limit));

		for (; found && count < most; found &= found - 1, count++) {
			uint32_t at = k + __builtin_ctz(found);

			hits[count].at = at;
			hits[count].query = span->query;
			hits[count].distance = __builtin_popcountll(codes[at] ^ code);
		}
	}
	return count;
}

WIDEST static int look_wide(const uint64_t *codes, const uint32_t *starts, int bits, const struct pi_ask *asks, int n, const uint64_t *queries,
	int limit, struct pi_hit *hits, int most)
{
	return look(eight_at_once, codes, starts, bits, asks, n, queries, limit, hits, most);
}
#endif

int pi_look(const uint64_t *codes, const uint32_t *starts, int bits, const struct pi_ask *asks, int n, const uint64_t *queries, int limit,
	struct pi_hit *hits, int most)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx512vpopcntdq"))
		return look_wide(codes, starts, bits, asks, n, queries, limit, hits, most);
	if (__builtin_cpu_supports("popcnt"))
		return look_popcnt(codes, starts, bits, asks, n, queries, limit, hits, most);
#endif
	return look(one_by_one, codes, starts, bits, asks, n, queries, limit, hits, most);
}
