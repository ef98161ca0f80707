#ifndef POINTINDEX_KERNEL_H
#define POINTINDEX_KERNEL_H

#include <stdint.h>

enum { PI_DIMS = 70, PI_WIDTH = 80, PI_WEAKEST = 10, PI_PARTITIONS = 64, PI_PART_DIMS = 6, PI_MOST_PROBES = 128 };

// A set of flips: those of an earlier set, and one of the weakest projections more.
struct pi_set {
	uint32_t of, with;
};

// A bucket that is looked into for a point of the query: which bits of its code are flipped.
struct pi_ask {
	uint32_t point, flip;
};

// An entry near to a point: its place, and in how many bits the codes differ.
struct pi_hit {
	uint32_t at, query, distance;
};

// pi_project sums up PI_WIDTH numbers for each four bits of n descriptions of two words.
void pi_project(const uint64_t *bits, int n, const int16_t *sums, int16_t *out);

// pi_flips writes which of the first dims projections have other signs in the buckets that are looked into, a bit each, for most sets.
void pi_flips(const int16_t *z, int dims, const struct pi_set *sets, int most, uint32_t *flips);

// pi_probe writes the buckets of n points, each of each point, by their partitions: those of partition i begin at starts[i]. flips is room
// for as many numbers as asks are.
void pi_probe(const int16_t *z, const uint32_t *partitions, int n, int dims, const struct pi_set *sets, int each, uint32_t *flips,
	struct pi_ask *asks, uint32_t *starts);

// pi_look finds the codes in the asked buckets of a partition within limit bits of the queries, at most most of them, and returns how many
// it found. bits of a code choose its bucket, whose codes are from starts[bucket] to starts[bucket + 1]. A flip of other bits asks for the
// bucket of the same flips without those, which comes before. hits has room for one more.
int pi_look(const uint64_t *codes, const uint32_t *starts, int bits, const struct pi_ask *asks, int n, const uint64_t *queries, int limit,
	struct pi_hit *hits, int most);

#endif
