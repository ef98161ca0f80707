#include "match.h"

#include "clones.h"

// The distances are kept with their places in one number each, so that a minimum gives both.
enum { place_bits = 20, place_mask = (1 << place_bits) - 1 };

// bytes counts the bits of each byte. Plain arithmetic, which compilers do to several numbers at once.
static inline uint64_t bytes(uint64_t x)
{
	x -= x >> 1 & 0x5555555555555555;
	x = (x & 0x3333333333333333) + (x >> 2 & 0x3333333333333333);
	return (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0f;
}

CLONES static void distances(const uint64_t *restrict even, const uint64_t *restrict odd, int m, uint64_t a, uint64_t b, int32_t *restrict out)
{
	for (int i = 0; i < m; i++) {
		uint64_t t = bytes(even[i] ^ a) + bytes(odd[i] ^ b);
		t += t >> 8;
		t += t >> 16;
		t += t >> 32;
		out[i] = (int32_t)(t & 0xff) << place_bits | i;
	}
}

CLONES static int32_t lowest(const int32_t *restrict all, int m, int32_t least)
{
	for (int i = 0; i < m; i++)
		least = all[i] < least ? all[i] : least;
	return least;
}

void kp_nearest(const uint64_t *asked, int n, const uint64_t *even, const uint64_t *odd, int m, int none, int32_t *keys, int32_t *place, int32_t *first, int32_t *second)
{
	for (int j = 0; j < n; j++) {
		distances(even, odd, m, asked[2 * j], asked[2 * j + 1], keys);
		int32_t best = lowest(keys, m, none << place_bits);
		place[j] = best & place_mask;
		first[j] = best >> place_bits;
		keys[place[j]] = none << place_bits;
		second[j] = lowest(keys, m, none << place_bits) >> place_bits;
	}
}
