#include "kernel.h"

#include <stddef.h>
#include <string.h>

// The instructions are chosen when the program starts.
#if defined(__x86_64__) && defined(__gnu_linux__)
#define WIDE __attribute__((target_clones("avx2", "default")))
#define COUNT __attribute__((target_clones("popcnt", "default")))
#else
#define WIDE
#define COUNT
#endif

WIDE void pi_project(const uint64_t *bits, int n, const int16_t *sums, int16_t *out)
{
	for (int p = 0; p < n; p++, out += PI_WIDTH) {
		int16_t all[PI_WIDTH] = { 0 };

		for (int w = 0; w < 2; w++)
			for (int i = 0; i < 16; i++) {
				const int16_t *row = sums + (((size_t)w * 16 + i) * 16 + (bits[2 * p + w] >> (4 * i) & 15)) * PI_WIDTH;

				for (int d = 0; d < PI_WIDTH; d++)
					all[d] += row[d];
			}
		memcpy(out, all, sizeof all);
	}
}

// Buckets lie anywhere in memory: they are asked for before they are needed.
enum { AHEAD = 16 };

COUNT int pi_scan(const uint64_t *codes, const struct pi_span *spans, int n, const uint64_t *asked, int limit, struct pi_hit *hits, int most)
{
	int count = 0;

	for (int i = 0; i < n; i++) {
		if (i + AHEAD < n) {
			const struct pi_span *next = spans + i + AHEAD;

			for (uint32_t k = next->from; k < next->to && k < next->from + 64; k += 8)
				__builtin_prefetch(codes + k);
		}
		uint64_t code = asked[spans[i].asked];

		for (uint32_t k = spans[i].from; k < spans[i].to && count < most; k++) {
			int d = __builtin_popcountll(codes[k] ^ code);

			hits[count].at = k; // overwritten by the next unless it counts: no branch to be foreseen
			hits[count].asked = spans[i].asked;
			hits[count].distance = d;
			count += d <= limit;
		}
	}
	return count;
}
