#include "kernel.h"

#include <stddef.h>

// The instructions are chosen when the program starts.
#if defined(__x86_64__) && defined(__gnu_linux__)
#define WIDE __attribute__((target_clones("avx2", "default")))
#define COUNT __attribute__((target_clones("popcnt", "default")))
#else
#define WIDE
#define COUNT
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

// Buckets lie anywhere in memory: they are prefetched before they are needed.
enum { AHEAD = 16 };

COUNT int pi_scan(const uint64_t *codes, const struct pi_span *spans, int n, const uint64_t *queries, int limit, struct pi_hit *hits, int most)
{
	int count = 0;

	for (int i = 0; i < n; i++) {
		if (i + AHEAD < n) {
			const struct pi_span *next = spans + i + AHEAD;

			for (uint32_t k = next->from; k < next->to && k < next->from + 64; k += 8)
				__builtin_prefetch(codes + k);
		}
		uint64_t code = queries[spans[i].query];

		for (uint32_t k = spans[i].from; k < spans[i].to && count < most; k++) {
			int d = __builtin_popcountll(codes[k] ^ code);

			hits[count].at = k; // overwritten by the next unless it counts: no branch to be foreseen
			hits[count].query = spans[i].query;
			hits[count].distance = d;
			count += d <= limit;
		}
	}
	return count;
}
