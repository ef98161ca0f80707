#include "match.h"

#if defined(__x86_64__) && defined(__GLIBC__)
#define CLONES __attribute__((target_clones("arch=icelake-server", "arch=haswell", "default")))
#else
#define CLONES
#endif

CLONES static void distances(const uint64_t *restrict among, size_t m, uint64_t a, uint64_t b, int32_t *restrict out)
{
	for (size_t i = 0; i < m; i++)
		out[i] = (int32_t)(__builtin_popcountll(among[2 * i] ^ a) + __builtin_popcountll(among[2 * i + 1] ^ b));
}

enum { block = 256 };

void kp_nearest(const uint64_t *asked, size_t n, const uint64_t *among, size_t m, int none, int32_t *place, int32_t *first, int32_t *second)
{
	int32_t d[block];
	for (size_t j = 0; j < n; j++) {
		place[j] = -1;
		first[j] = second[j] = none;
		for (size_t from = 0; from < m; from += block) {
			size_t count = m - from < block ? m - from : block;
			distances(among + 2 * from, count, asked[2 * j], asked[2 * j + 1], d);
			for (size_t i = 0; i < count; i++) {
				if (d[i] < first[j]) {
					second[j] = first[j];
					first[j] = d[i];
					place[j] = (int32_t)(from + i);
				} else if (d[i] < second[j]) {
					second[j] = d[i];
				}
			}
		}
	}
}
