#ifndef PDQINDEX_SCAN_H
#define PDQINDEX_SCAN_H

#include <stdint.h>

enum { PDQINDEX_WORDS = 4 }; // of a hash

// pdqindex_scan returns the first hash from from on, below to, that differs from the query in at most limit bits of its first half and
// in at most limit bits of its second half, which nearly all others do not; or to.
uint32_t pdqindex_scan(const uint64_t *hashes, uint32_t from, uint32_t to, const uint64_t *query, int limit);

#endif
