#include <stddef.h>
#include <stdint.h>

// kp_nearest finds for each of n descriptions of 128 bits the nearest of m others by Hamming distance: its place, its
// distance, and the second lowest distance (none where m is 1).
void kp_nearest(const uint64_t *asked, size_t n, const uint64_t *among, size_t m, int none, int32_t *place, int32_t *first, int32_t *second);
