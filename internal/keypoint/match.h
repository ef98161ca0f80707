#include <stdint.h>

// kp_nearest finds for each of n descriptions of 128 bits the nearest of m others (1 to a million, whose first halves are
// even and whose second ones odd) by Hamming distance: its place, its distance, and the second lowest distance, none where
// there is no second. keys is room for m numbers.
void kp_nearest(const uint64_t *asked, int n, const uint64_t *even, const uint64_t *odd, int m, int none, int32_t *keys, int32_t *place, int32_t *first, int32_t *second);
