#include <stddef.h>
#include <stdint.h>

size_t pdq_within(const uint8_t *hashes, size_t n, const uint8_t *query, int most, uint32_t *found);
