#ifndef POINTINDEX_KERNEL_H
#define POINTINDEX_KERNEL_H

#include <stdint.h>

enum { PI_DIMS = 70, PI_WIDTH = 80 };

// A bucket that is looked into for a point of the query.
struct pi_span {
	uint32_t from, to, query;
};

// An entry near to a point: its place, and in how many bits the codes differ.
struct pi_hit {
	uint32_t at, query, distance;
};

// pi_project sums up PI_WIDTH numbers for each four bits of n descriptions of two words.
void pi_project(const uint64_t *bits, int n, const int16_t *sums, int16_t *out);

// pi_scan finds the codes in the spans within limit bits of the queries, at most most of them, and returns how many it found.
// What comes after the last hit may be overwritten.
int pi_scan(const uint64_t *codes, const struct pi_span *spans, int n, const uint64_t *queries, int limit, struct pi_hit *hits, int most);

#endif
