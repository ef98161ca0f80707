#include "within.h"

#include <string.h>

// The instruction is chosen when the program starts.
#if defined(__x86_64__) && defined(__gnu_linux__)
#define CLONES __attribute__((target_clones("popcnt", "default")))
#else
#define CLONES
#endif

// differing is the number of bits, 0 to 64, that differ in one word of two hashes.
static inline __attribute__((always_inline)) int differing(const uint8_t *a, const uint8_t *b, int word) {
	uint64_t x, y;
	memcpy(&x, a + 8 * word, sizeof x);
	memcpy(&y, b + 8 * word, sizeof y);
	return __builtin_popcountll(x ^ y);
}

// pdq_within finds the hashes, of n with 32 bytes each, that differ from the query in at most the given number of bits.
CLONES
size_t pdq_within(const uint8_t *hashes, size_t n, const uint8_t *query, int most, uint32_t *restrict found) {
	size_t count = 0;
	for (size_t i = 0; i < n; i++, hashes += 32) {
		int bits = differing(hashes, query, 0) + differing(hashes, query, 1) + differing(hashes, query, 2) + differing(hashes, query, 3);
		found[count] = i; // overwritten by the next one unless it counts, to avoid a branch
		count += bits <= most;
	}
	return count;
}
